--@ base
--@ messages
--@ leases
-- What a broker elsewhere has to be told. ARGV: now, what to do, then:
--   adopt: list, cursor. Gives a time to send to what was written without one. Returns the next cursor.
--   sent: ids.
--   unsent: consumer, most. Returns nothing when the lease has ended; else how long until the next time to send (-1: never),
--   then four for each message: id, queue, rank, delay.
--   missing: consumer, most, queue, for how long. The same.
-- Whoever does not know of the broker writes no times to send: what is held, or gone, may still have one.
local verb = ARGV[2]
local unsent = P .. 'unsent'

-- A script that has begun to write may go on with a full memory: what is there has to get away.
redis.call('PERSIST', unsent)

local function bodyOf(member)
  local body = redis.call('HGET', P .. 'm', idOf(member))
  if body and memberOf(body) == member then return body end
end

-- When a message that waits is due.
local function dueOf(member)
  local score = redis.call('ZSCORE', P .. 'q:' .. queueOf(member), member)
  if score then return tonumber(score) % dueRange end
  return tonumber(redis.call('ZSCORE', P .. 'd:' .. queueOf(member), member) or nil)
end

if verb == 'adopt' then
  if not isCarried(tonumber(string.sub(ARGV[3], 3))) then return '0' end
  local next, found = unpack(redis.call('ZSCAN', P .. ARGV[3], ARGV[4], 'COUNT', chunk))
  local times = {}
  for i = 1, #found, 2 do
    times[#times + 1] = nearTo(tonumber(found[i + 1]) % dueRange)
    times[#times + 1] = found[i]
  end
  for from = 1, #times, 2 * chunk do
    redis.call('ZADD', unsent, 'NX', unpack(times, from, math.min(#times, from + 2 * chunk - 1)))
  end
  return next
end

if verb == 'sent' then
  for i = 3, #ARGV do
    local body = redis.call('HGET', P .. 'm', ARGV[i])
    local member = body and memberOf(body)
    local time = member and tonumber(redis.call('ZSCORE', unsent, member) or nil)
    local due = time and time <= now + outbox.hand and dueOf(member)
    if due then redis.call('ZADD', unsent, timeToResend(due), member) end
  end
  return 1
end

local consumer, most = ARGV[3], tonumber(ARGV[4])
local expiresAt = redis.call('ZSCORE', P .. 'leases', consumer)
if not expiresAt then return false end
takeOver(consumer, tonumber(expiresAt))

local answer, handed, count = { -1 }, {}, 0

local function hand(member, due)
  redis.call('ZADD', unsent, now + outbox.hand, member)
  handed[member], count = true, count + 1
  local name = redis.call('HGET', P .. 'queue-names', queueOf(member))
  local rank = tonumber(string.sub(member, 13, 14), 16)
  for _, value in ipairs({ idOf(member), name, rank, math.max(0, due - now) }) do answer[#answer + 1] = value end
end

-- Hands it out, if it waits. Returns whether it has another time now.
local function handWaiting(member, queue)
  if handed[member] or (queue and queueOf(member) ~= queue) then return false end
  -- Its queue is the store's own again.
  if not isCarried(queueOf(member)) then
    redis.call('ZREM', unsent, member)
    return true
  end
  local due = dueOf(member)
  if due then
    if queue and due > now then return false end
    hand(member, due)
  elseif bodyOf(member) then
    redis.call('ZADD', unsent, now + outbox.resend, member)
  else
    redis.call('ZREM', unsent, member)
  end
  return true
end

-- What has its time in between, some at a time. Looks at no more than a few thousand: the server has others to serve.
local function handOut(from, to, queue)
  local passed = 0
  for _ = 1, 20 do
    local found = redis.call('ZRANGEBYSCORE', unsent, from, to, 'LIMIT', passed, chunk)
    for _, member in ipairs(found) do
      if count == most then return end
      if not handWaiting(member, queue) then passed = passed + 1 end
    end
    if #found < chunk then return end
  end
end

local function text(time) return string.format('%.0f', time) end

-- What is due and has no time: it was written by who does not know of the broker.
local function handUntimed(list, to)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', list, '-inf', to, 'LIMIT', 0, chunk)) do
    if count == most then return end
    if not redis.call('ZSCORE', unsent, member) then hand(member, dueOf(member)) end
  end
end

if verb == 'missing' then
  local queue = tonumber(redis.call('HGET', P .. 'queues', ARGV[5]) or nil)
  if not queue then return answer end
  handOut('(' .. text(now + outbox.hand), text(now + outbox.resend - tonumber(ARGV[6])), queue)
  handUntimed(P .. 'q:' .. queue, '+inf')
  handUntimed(P .. 'd:' .. queue, text(now))
  return answer
end

handOut('-inf', text(now))
local first = redis.call('ZRANGE', unsent, 0, count, 'WITHSCORES')
for i = 1, #first, 2 do
  if not handed[first[i]] then
    answer[1] = math.max(0, tonumber(first[i + 1]) - now)
    break
  end
end
return answer
