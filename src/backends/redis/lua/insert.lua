-- New messages. Each takes eight values of ARGV: id, queue, flags, rank, delay, due time, time to live, head and envelope.
local messageWidth = 8

-- The unfinished task that has a unique key at this moment.
local function keyHolder(key, fresh)
  local text = redis.call('HGET', P .. 'u', key)
  if not text then return nil end
  local id, freeAt = string.match(text, '^([^;]*);(.*)$')
  if freeAt ~= '' and tonumber(freeAt) <= now then return nil end
  if fresh[id] then return id end
  local body = redis.call('HGET', P .. 'm', id)
  if not body then return nil end
  local expiry = expiryOf(body)
  if expiry and expiry <= now and isWaiting(memberOf(body)) then return nil end
  return id
end

-- Which of the ids are known: those that wait or run, and with `finishedToo` the finished ones.
local function knownIds(ids, finishedToo)
  local known = {}
  local bodies = readWith('HMGET', P .. 'm', ids)
  for i = 1, #ids do if bodies[i] then known[ids[i]] = true end end
  if not finishedToo then return known end
  for from = 1, #ids, chunk do
    local keys = {}
    for i = from, math.min(#ids, from + chunk - 1) do keys[#keys + 1] = P .. 't:' .. ids[i] end
    if redis.call('EXISTS', unpack(keys)) > 0 then
      for i = 1, #keys do if redis.call('EXISTS', keys[i]) == 1 then known[ids[from + i - 1]] = true end end
    end
  end
  return known
end

-- The body of a new message, and what its place in the line needs.
local stamp = string.format(';%.0f;', now)
local function newMessage(at, seq)
  local id, queue, flags, rank, delay, dueAt, ttl, rest = unpack(ARGV, at, at + messageWidth - 1)
  local number = queueNumber(queue)
  flags, rank = tonumber(flags), tonumber(rank)
  local member = string.format('%012x%02x%02x%06x', seq, rank, flags, number) .. id
  local due, body = now, nil
  if delay ~= '0' then due = now + math.ceil(tonumber(delay)) end
  if dueAt ~= '' then due = math.max(due, math.ceil(tonumber(dueAt))) end
  if due == now and ttl == '' then
    body = member .. stamp .. string.sub(stamp, 2) .. ';' .. rest
  else
    local expires = ttl == '' and '' or string.format('%.0f', math.ceil(now + tonumber(ttl)))
    body = member .. stamp .. string.format('%.0f;%s;', due, expires) .. rest
  end
  return { id = id, member = member, number = number, flags = flags, due = due, rank = rank, body = body }
end

local function push(lists, key, a, b)
  local list = lists[key]
  if not list then list = {}; lists[key] = list end
  list[#list + 1] = a
  list[#list + 1] = b
end

-- Takes the unique key for a message, or says who has it.
local function takeKey(message, fresh)
  local head = headOf(message.body)
  local holder = keyHolder(head[8], fresh)
  if holder then return holder end
  local freeAt = ''
  if head[10] ~= cjson.null then freeAt = string.format('%.0f', math.ceil(now + head[10])) end
  redis.call('HSET', P .. 'u', head[8], message.id .. ';' .. freeAt)
end

-- Queues `count` messages that stand in ARGV from `at` on, `stride` apart. Returns those that were not new, as pairs of
-- their place (from 0) and the id of the task that has the id or the key. `passed`: ids that count as known. `isUnsent`: the
-- caller does not know of them, so with a broker elsewhere others send them, at once.
local function insert(at, count, stride, finishedToo, passed, isUnsent)
  local ids = {}
  for i = 0, count - 1 do ids[i + 1] = ARGV[at + i * stride] end
  local known = knownIds(ids, finishedToo)
  for id in pairs(passed or {}) do known[id] = true end
  local seq = redis.call('HINCRBY', P .. 'counters', 'messages', count) - count
  local bodies, lists, sends, hooks, refused, fresh = {}, {}, {}, {}, {}, {}
  for i = 0, count - 1 do
    local id = ids[i + 1]
    local holder
    if known[id] then
      holder = id
    else
      local message = newMessage(at + i * stride, seq + i)
      local flags = message.flags
      if flags > isHook and (hasFlag(flags, uniqueTillEnd) or hasFlag(flags, uniqueTillStart)) then
        holder = takeKey(message, fresh)
      end
      if not holder then
        known[id], fresh[id] = true, true
        bodies[#bodies + 1] = id
        bodies[#bodies + 1] = message.body
        if message.due > now then push(lists, 'd:' .. message.number, message.due, message.member)
        else push(lists, 'q:' .. message.number, message.rank * dueRange + math.min(now, dueRange - 1), message.member) end
        if isUncounted(flags) then hooks[#hooks + 1] = message.member end
        if isCarried(message.number) then push(sends, 'unsent', (isUnsent and nearTo or timeToSend)(message.due), message.member) end
        if flags >= isNamed and hasFlag(flags, isNamed) then redis.call('ZADD', P .. 'nm:' .. headOf(message.body)[3], now, id) end
      end
    end
    if holder then
      refused[#refused + 1] = i
      refused[#refused + 1] = holder
    end
  end
  if #bodies == 0 then return refused end
  callWith('HSET', P .. 'm', bodies, 2)
  for list, members in pairs(lists) do
    callWith('ZADD', P .. list, members, 2)
    wake('q:' .. string.sub(list, 3))
  end
  if sends.unsent then callWith('ZADD', P .. 'unsent', sends.unsent, 2) end
  if #hooks > 0 then callWith('SADD', P .. 'hooks', hooks) end
  wake('store')
  return refused
end
