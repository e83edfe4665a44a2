--@ base
-- Entries: `k:<key>` with end;version;value. Sets: `ks:<key>`, their end in `ku:<key>`. ARGV: now, what to do, key, then:
-- set: value, version, time to live · setIf: the same and the expected version · add: time to live, members.
local verb, key = ARGV[2], ARGV[3]
local entryKey, setKey, untilKey = P .. 'k:' .. key, P .. 'ks:' .. key, P .. 'ku:' .. key

local function isOver(text) return text ~= '' and tonumber(text) <= now end

-- The version and where the value starts; nothing when absent or expired.
local function liveEntry()
  local text = redis.call('GET', entryKey)
  if not text then return nil end
  local ends, version, from = string.match(text, '^([^;]*);([^;]*);()')
  if isOver(ends) then return nil end
  return version, string.sub(text, from)
end

local function setEnd()
  local ends = redis.call('GET', untilKey)
  if ends and isOver(ends) then
    redis.call('UNLINK', setKey, untilKey)
    return nil
  end
  return ends or nil
end

-- The server removes what has ended, a minute late: `now` may be a test's clock, and decides.
local function expire(name, ends)
  if ends == '' then redis.call('PERSIST', name)
  else redis.call('PEXPIRE', name, string.format('%.0f', math.max(1, tonumber(ends) - now) + 60000)) end
end

local function endIn(ttl)
  return ttl == '' and '' or string.format('%.0f', now + math.ceil(tonumber(ttl)))
end

if verb == 'get' then
  local version, value = liveEntry()
  return version and { version, value } or false
end

if verb == 'set' or verb == 'setIf' then
  if verb == 'setIf' and (liveEntry() or '') ~= ARGV[7] then return 0 end
  local ends = endIn(ARGV[6])
  redis.call('SET', entryKey, ends .. ';' .. ARGV[5] .. ';' .. ARGV[4])
  expire(entryKey, ends)
  return 1
end

if verb == 'delete' then
  local existed = liveEntry() ~= nil or setEnd() ~= nil
  redis.call('UNLINK', entryKey, setKey, untilKey)
  return existed and 1 or 0
end

local before = setEnd()
if verb == 'members' then return before and redis.call('SMEMBERS', setKey) or {} end

-- add: the set lives as long as its longest member wanted.
local ends = endIn(ARGV[4])
if before and (before == '' or (ends ~= '' and tonumber(before) > tonumber(ends))) then ends = before end
for from = 5, #ARGV, chunk do
  redis.call('SADD', setKey, unpack(ARGV, from, math.min(#ARGV, from + chunk - 1)))
end
redis.call('SET', untilKey, ends)
expire(untilKey, ends)
if redis.call('EXISTS', setKey) == 1 then expire(setKey, ends) end
return redis.call('SCARD', setKey)
