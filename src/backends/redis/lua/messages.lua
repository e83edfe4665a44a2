-- Unfinished tasks. `m` has the body of each by id, `q:<no>` what may be taken, `d:<no>` what waits for its time,
-- `h:<consumer>` what is held with its old place, and `x` what is not as it was at first: most messages never have such an entry.
--
-- A message stands in those lists as a member that says all that moving it needs:
--   12 hex digits of enqueue order, 2 of rank, 2 of flags, 6 of the queue's number, then the id.
-- Lists of what may be taken sort by rank and due time in one score, and by enqueue order within it.
local isHook, uniqueTillEnd, uniqueTillStart, isInGroup, isNamed, isScheduled, isMember, isFlow = 1, 2, 4, 8, 16, 32, 64, 128
local dueRange = 4398046511104 -- 2 ^ 42 milliseconds: up to the year 2109

local function idOf(member) return string.sub(member, 23) end
local function flagsOf(member) return tonumber(string.sub(member, 15, 16), 16) end
local function queueOf(member) return tonumber(string.sub(member, 17, 22), 16) end
local function scoreOf(member, due)
  return tonumber(string.sub(member, 13, 14), 16) * dueRange + math.min(due, dueRange - 1)
end
local function hasFlag(flags, flag) return bit.band(flags, flag) ~= 0 end
-- Hooks, and what opens a flow or is the record of one.
local function isUncounted(flags) return flags >= isFlow or flags % 2 == isHook end

-- A body: member;queued;due;expires;head, a line feed, the envelope.
local function memberOf(body) return string.match(body, '^[^;]*') end
local function expiryOf(body) return tonumber(string.match(body, '^[^;]*;[^;]*;[^;]*;([^;]*)')) end
-- The head: queue, func, name, group, kind, parent, priority, unique key, until, for; of a member of a flow also
-- "flow.place.run". The place is empty in a batch, which counts by itself.
local function headOf(body) return cjson.decode(string.match(body, '^[^;]*;[^;]*;[^;]*;[^;]*;([^\n]*)')) end

-- Flow, place and run, from a body or from a head and envelope.
local function membershipOf(text) return string.match(text, '^[^\n]*"(%x+)%.(%d*)%.(%d+)"%]\n') end

-- What is not as it was at first: deliveries;attempts;starts;due;started;stopped;worker.
local function readChanges(text)
  if not text then return { deliveries = 0, attempts = 0, starts = 0, due = '', started = '', stopped = '', worker = '' } end
  local d, a, s, due, started, stopped, worker =
    string.match(text, '^([^;]*);([^;]*);([^;]*);([^;]*);([^;]*);([^;]*);(.*)$')
  return {
    deliveries = tonumber(d), attempts = tonumber(a), starts = tonumber(s),
    due = due, started = started, stopped = stopped, worker = worker,
  }
end
-- The changes of many. Most of the time there are none at all.
local function readChangesOf(ids)
  if redis.call('EXISTS', P .. 'x') == 0 then return {} end
  return readWith('HMGET', P .. 'x', ids)
end
local function writeChanges(id, c)
  redis.call('HSET', P .. 'x', id, string.format('%d;%d;%d;%s;%s;%s;%s',
    c.deliveries, c.attempts, c.starts, c.due, c.started, c.stopped, c.worker))
end

-- Puts an attempt that ended on record. `attempt` is its text, as it is kept.
local function recordAttempt(id, c, attempt)
  redis.call('RPUSH', P .. 'a:' .. id, attempt)
  local a = cjson.decode(attempt)
  c.starts = c.starts + 1
  if a.counted then c.attempts = c.attempts + 1 end
  c.started = string.format('%.0f', a.startedAt)
  c.stopped = string.format('%.0f', a.stoppedAt)
  c.worker = a.worker
end

local queueNumbers = {}
local function queueNumber(name)
  local number = queueNumbers[name]
  if number then return number end
  number = redis.call('HGET', P .. 'queues', name)
  if number then
    number = tonumber(number)
  else
    number = redis.call('HINCRBY', P .. 'counters', 'queues', 1)
    redis.call('HSET', P .. 'queues', name, number)
    redis.call('HSET', P .. 'queue-names', number, name)
  end
  queueNumbers[name] = number
  return number
end

local function isWaiting(member)
  local number = queueOf(member)
  return redis.call('ZSCORE', P .. 'q:' .. number, member) or redis.call('ZSCORE', P .. 'd:' .. number, member)
end

-- Whether a broker elsewhere carries the tasks of the queue with this number.
local carried = {}
local function isCarried(number)
  if not outbox or not outbox.queues then return outbox ~= nil end
  if carried[number] == nil then
    carried[number] = outbox.queues[redis.call('HGET', P .. 'queue-names', number)] == true
  end
  return carried[number]
end

-- Times to send, of a store whose tasks a broker elsewhere carries: `unsent` has each waiting message by its own.
local function nearTo(due) return math.max(now, due - outbox.ahead) end
local function timeToSend(due) return math.max(now + outbox.hand, nearTo(due)) end
local function timeToResend(due)
  local near = nearTo(due)
  return near > now and near or math.max(now, due) + outbox.resend
end
local function resendLater(member, due)
  if isCarried(queueOf(member)) then redis.call('ZADD', P .. 'unsent', timeToResend(due), member) end
end

-- Puts a message into the line, or among those that wait for their time.
local function joinLine(member, due)
  local number = queueOf(member)
  if due > now then redis.call('ZADD', P .. 'd:' .. number, due, member)
  else redis.call('ZADD', P .. 'q:' .. number, scoreOf(member, due), member) end
  resendLater(member, due)
  wake('q:' .. number)
end

-- Back to its old place, unless somebody deleted it meanwhile.
local function giveBack(member, score)
  local number = queueOf(member)
  redis.call('ZADD', P .. 'q:' .. number, score, member)
  resendLater(member, now)
  wake('q:' .. number)
end

-- Leaves an order for the cluster that holds a message.
local function tellHolder(member, order)
  for _, consumer in ipairs(redis.call('ZRANGE', P .. 'leases', 0, -1)) do
    if redis.call('HEXISTS', P .. 'h:' .. consumer, member) == 1 then
      local cluster = redis.call('HGET', P .. 'c:' .. consumer, 'cluster')
      redis.call('RPUSH', P .. 'o:' .. cluster, order)
      redis.call('EXPIRE', P .. 'o:' .. cluster, 86400)
      wake('store')
    end
  end
end

-- The key a message has is free again, unless somebody else has it by now.
local function freeKey(body, id)
  local key = headOf(body)[8]
  local holder = redis.call('HGET', P .. 'u', key)
  if holder and string.match(holder, '^[^;]*') == id then redis.call('HDEL', P .. 'u', key) end
end

-- Removes what belongs to tasks that leave no record: attempts, progress, log.
local function forgetDetails(ids)
  local keys = {}
  for i = 1, #ids do
    keys[#keys + 1] = P .. 'a:' .. ids[i]
    keys[#keys + 1] = P .. 'np:' .. ids[i]
    keys[#keys + 1] = P .. 'nl:' .. ids[i]
  end
  for from = 1, #keys, 1500 do
    redis.call('UNLINK', unpack(keys, from, math.min(#keys, from + 1499)))
  end
end

-- Removes unfinished tasks without a trace; their members have left the lists already. Returns how many there were.
local function forget(members)
  if #members == 0 then return 0 end
  local ids = {}
  for i = 1, #members do ids[i] = idOf(members[i]) end
  local bodies = readWith('HMGET', P .. 'm', ids)
  local hooks = {}
  for i = 1, #members do
    local flags = flagsOf(members[i])
    if isUncounted(flags) then hooks[#hooks + 1] = members[i] end
    if bodies[i] and flags > isHook then
      if hasFlag(flags, uniqueTillEnd) or hasFlag(flags, uniqueTillStart) then freeKey(bodies[i], ids[i]) end
      if hasFlag(flags, isNamed) then redis.call('ZREM', P .. 'nm:' .. headOf(bodies[i])[3], ids[i]) end
    end
  end
  if #hooks > 0 then callWith('SREM', P .. 'hooks', hooks) end
  callWith('HDEL', P .. 'm', ids)
  callWith('HDEL', P .. 'x', ids)
  if outbox then callWith('ZREM', P .. 'unsent', members) end
  forgetDetails(ids)
  wake('store')
  return #members
end
