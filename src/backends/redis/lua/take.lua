--@ base
--@ messages
--@ leases
-- ARGV: now, consumer, how many, then the queues. Returns nothing when the lease has ended; else now, how many are held
-- afterwards, how long until there may be more (-1: nobody knows), for each message with changes its number (from 0) and
-- these, then the bodies.
local id, left = ARGV[2], tonumber(ARGV[3])
local held = P .. 'h:' .. id
local expiresAt = redis.call('ZSCORE', P .. 'leases', id)
if not expiresAt then return false end
local nextAt = takeOver(id, tonumber(expiresAt)) or math.huge

-- Lets in what has become due, some at a time: the first of them must not wait for a million others.
local function promote(number)
  local late = redis.call('ZRANGEBYSCORE', P .. 'd:' .. number, '-inf', now, 'WITHSCORES', 'LIMIT', 0, chunk)
  if #late == 0 then return end
  local members, scored = {}, {}
  for i = 1, #late, 2 do
    members[#members + 1] = late[i]
    scored[#scored + 1] = scoreOf(late[i], tonumber(late[i + 1]))
    scored[#scored + 1] = late[i]
  end
  redis.call('ZREM', P .. 'd:' .. number, unpack(members))
  callWith('ZADD', P .. 'q:' .. number, scored, 2)
end

local changed = {}
local taken, before = { now, 0, -1, changed }, 4
local count = before

local function add(body, change)
  if change then
    changed[#changed + 1] = count - before
    changed[#changed + 1] = change
  end
  count = count + 1
  taken[count] = body
end

-- A longer field than a hash keeps in a list, where every step would look at half of what is held.
local wide = string.rep('~', 65)

local function hold(popped)
  local isMany = #popped > 64
  if isMany then redis.call('HSET', held, wide, '') end
  callWith('HSET', held, popped, 2)
  if isMany then redis.call('HDEL', held, wide) end
end

local function handOut(popped)
  local sub, find, ids = string.sub, string.find, {}
  for i = 1, #popped / 2 do ids[i] = sub(popped[2 * i - 1], 23) end
  hold(popped)
  local found = readWith('HMGET', P .. 'm', ids)
  local changes = readChangesOf(ids)
  for i = 1, #ids do
    local member, body = popped[2 * i - 1], found[i]
    if body and find(body, member, 1, true) == 1 then
      if sub(member, 15, 16) ~= '00' and hasFlag(flagsOf(member), uniqueTillStart) then freeKey(body, ids[i]) end
      add(body, changes[i])
      left = left - 1
    else
      redis.call('HDEL', held, member)
    end
  end
end

local queues = {}
for i = 4, #ARGV do queues[#queues + 1] = ARGV[i] end
local numbers = #queues > 0 and redis.call('HMGET', P .. 'queues', unpack(queues)) or {}
for i = 1, #queues do
  local number = numbers[i]
  if number and left > 0 then
    promote(number)
    local popped = redis.call('ZPOPMIN', P .. 'q:' .. number, left)
    if #popped > 0 then handOut(popped) end
  end
end

if count == before then
  for i = 1, #queues do
    local first = numbers[i] and redis.call('ZRANGE', P .. 'd:' .. numbers[i], 0, 0, 'WITHSCORES')
    if first and first[2] then nextAt = math.min(nextAt, tonumber(first[2])) end
  end
  if nextAt < math.huge then taken[3] = math.max(0, nextAt - now) end
end
taken[2] = redis.call('HLEN', held)
return taken
