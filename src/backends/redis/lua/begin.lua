--@ base
--@ messages
--@ leases
-- Begins what a broker elsewhere has handed out. ARGV: now, consumer, ids. Returns nothing when the lease has ended; else
-- now, then three for each id: b (begun), body, changes · f (finished) · u (unknown) · l (later), how long.
local consumer = ARGV[2]
local held = P .. 'h:' .. consumer
local expiresAt = redis.call('ZSCORE', P .. 'leases', consumer)
if not expiresAt then return false end
takeOver(consumer, tonumber(expiresAt))

-- When whoever holds it may be taken over from.
local function freeAt(member)
  local unbroken, lease = unpack(redis.call('HMGET', P .. 'c:' .. consumer, 'unbroken', 'lease'))
  for _, other in ipairs(redis.call('ZRANGE', P .. 'leases', 0, -1)) do
    if redis.call('HEXISTS', P .. 'h:' .. other, member) == 1 then
      return math.max(redis.call('ZSCORE', P .. 'leases', other), tonumber(unbroken) + tonumber(lease))
    end
  end
  return now
end

local function begin(id, member, body, list, score)
  redis.call('ZREM', list, member)
  redis.call('HSET', held, member, score)
  redis.call('ZREM', P .. 'unsent', member)
  if hasFlag(flagsOf(member), uniqueTillStart) then freeKey(body, id) end
end

local answer = { now }
local function add(word, a, b)
  answer[#answer + 1] = word
  answer[#answer + 1] = a
  answer[#answer + 1] = b
end

local function addTask(id, body)
  local member = memberOf(body)
  local line, delayed = P .. 'q:' .. queueOf(member), P .. 'd:' .. queueOf(member)
  local score = redis.call('ZSCORE', line, member)
  local due = not score and tonumber(redis.call('ZSCORE', delayed, member) or nil)
  if score then
    begin(id, member, body, line, score)
  elseif due and due <= now then
    begin(id, member, body, delayed, string.format('%.0f', scoreOf(member, due)))
  elseif redis.call('HEXISTS', held, member) == 0 then
    return add('l', math.max(1, math.ceil((due or freeAt(member)) - now)), '')
  end
  add('b', body, redis.call('HGET', P .. 'x', id) or '')
end

for i = 3, #ARGV do
  local body = redis.call('HGET', P .. 'm', ARGV[i])
  if body then addTask(ARGV[i], body)
  else add(redis.call('EXISTS', P .. 't:' .. ARGV[i]) == 1 and 'f' or 'u', '', '') end
end
return answer
