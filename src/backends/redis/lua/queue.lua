--@ base
--@ messages
-- ARGV: now, what to do, then: sizes: queue or nothing, returns waiting and held · empty: queue, 1 for held ones too, how
-- many at a time, returns how many · list: queue, limit, cursor (part, score, member); returns part, score, member, body,
-- changes for each.
local verb, name = ARGV[2], ARGV[3]
local wanted = name and tonumber(redis.call('HGET', P .. 'queues', name) or nil)

local function heldOf(consumer, number)
  local members = {}
  for _, member in ipairs(redis.call('HKEYS', P .. 'h:' .. consumer)) do
    if queueOf(member) == number then members[#members + 1] = member end
  end
  return members
end

local function consumers() return redis.call('ZRANGE', P .. 'leases', 0, -1) end

if verb == 'sizes' then
  local waiting, held = 0, 0
  local numbers = name and { wanted } or redis.call('HVALS', P .. 'queues')
  for _, number in ipairs(numbers) do
    waiting = waiting + redis.call('ZCARD', P .. 'q:' .. number) + redis.call('ZCARD', P .. 'd:' .. number)
  end
  for _, consumer in ipairs(consumers()) do
    if not name then held = held + redis.call('HLEN', P .. 'h:' .. consumer)
    elseif wanted then held = held + #heldOf(consumer, wanted) end
  end
  return { waiting, held }
end

if not wanted then return verb == 'empty' and 0 or {} end
local line, delayed = P .. 'q:' .. wanted, P .. 'd:' .. wanted

if verb == 'empty' then
  local most = tonumber(ARGV[5])
  for _, key in ipairs({ line, delayed }) do
    local members = redis.call('ZRANGE', key, 0, most - 1)
    if #members > 0 then
      redis.call('ZREM', key, unpack(members))
      return forget(members)
    end
  end
  if ARGV[4] ~= '1' then return 0 end
  for _, consumer in ipairs(consumers()) do
    local members = heldOf(consumer, wanted)
    if #members > 0 then
      callWith('HDEL', P .. 'h:' .. consumer, members)
      return forget(members)
    end
  end
  return 0
end

local limit, part, score, after = tonumber(ARGV[4]), ARGV[5], ARGV[6], ARGV[7]
local listed = {}

-- Where a member stands, or would stand, in a list.
local function placeAfter(key)
  local added = redis.call('ZADD', key, 'NX', score, after)
  local rank = redis.call('ZRANK', key, after)
  if added == 1 then
    redis.call('ZREM', key, after)
    return rank
  end
  return rank + 1
end

local function add(key, name_, from)
  local left = limit - #listed / 5
  if left <= 0 then return end
  local found = redis.call('ZRANGE', key, from, from + left - 1, 'WITHSCORES')
  for i = 1, #found, 2 do
    local id = idOf(found[i])
    local body = redis.call('HGET', P .. 'm', id)
    for _, value in ipairs({ name_, found[i + 1], found[i], body or '', redis.call('HGET', P .. 'x', id) or '' }) do
      listed[#listed + 1] = value
    end
  end
end

if part ~= 'd' then add(line, 'q', part == 'q' and placeAfter(line) or 0) end
add(delayed, 'd', part == 'd' and placeAfter(delayed) or 0)
return listed
