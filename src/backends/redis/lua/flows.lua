--@ base
--@ messages
--@ insert
--@ outcomes
--@ endings
--@ members
--@ telling
-- ARGV: now, what to do, flow, then:
--   open: how many names and values, these, time to live or nothing, how many links, place and link for each, the move.
--   close: size, how many moves (0 or 1), the move. Returns 1, or what has to be known for the move that it lacks.
--   end: rev, the move, 1 when an earlier try may have arrived. Its members are to be ended then. Returns 1, or 0: it has
--     changed.
--   resume: rev, run, 1 when an earlier try may have arrived, time to live or nothing, done, failed, the first that failed, how
--     many links, place and link for each, the move. Returns 1 · 0: not now · -1: its members are still to be ended.
--   find: more ids. Returns id and hash for each.
--   members, outcomes: from, up to, bytes. Returns where to go on (-1: at the end), then links, or places and outcomes.
--   joined: cursor. Returns the next cursor, then the ids of a batch's members.
--   drop: ids. Takes them out of the queue without a trace, and tells the clusters that hold the others.
--   due: most. Returns now, then ids and hashes of flows whose time is up. · ending: returns those with members to be ended.
--   ended: says that there are none any more.
local verb, id = ARGV[2], ARGV[3]
local key = P .. 'f:' .. (id or '')
local function text(time) return string.format('%.0f', time) end

local function setExpiry(ttl)
  if ttl == '' then
    redis.call('HDEL', key, 'expiresAt')
    return
  end
  local expires = math.ceil(now + tonumber(ttl))
  redis.call('HSET', key, 'expiresAt', text(expires))
  redis.call('ZADD', P .. 'flows:expiry', expires, id)
end

-- Stores links that stand in ARGV, each as place and text.
local function storeLinks(at, count)
  local links = {}
  for i = at, at + 2 * count - 1 do links[#links + 1] = ARGV[i] end
  if count > 0 then callWith('HSET', P .. 'fm:' .. id, links, 2) end
  return at + 2 * count
end

local function moveNow()
  applyMove(id, moves[id])
  storeEnded()
end

if verb == 'open' then
  if redis.call('EXISTS', key) == 1 then return 0 end
  local count = tonumber(ARGV[4])
  callWith('HSET', key, { unpack(ARGV, 5, 4 + count) }, 2)
  redis.call('HSET', key, 'openedAt', text(now), 'rev', 0, 'state', 'open')
  setExpiry(ARGV[5 + count])
  readMoves(storeLinks(7 + count, tonumber(ARGV[6 + count])), 1)
  moveNow()
  return 1
end

if verb == 'close' then
  local flow, size = flowById(id), tonumber(ARGV[4])
  if not flow or flow.state ~= 'open' or flow.wanted then return 1 end
  readMoves(6, tonumber(ARGV[5]))
  if flow.done >= size then
    local move = moves[id]
    if not move or move.rev ~= flow.rev then return needOf(flow, 0, 0) end
    redis.call('HSET', key, 'steps', '[' .. size .. ']', 'places', size)
    moveNow()
  else
    redis.call('HSET', key, 'steps', '[' .. size .. ']', 'until', size, 'places', size)
    redis.call('HINCRBY', key, 'rev', 1)
  end
  return 1
end

if verb == 'end' then
  local flow, again = flowById(id), ARGV[readMoves(5, 1)] == '1'
  if not flow then return 0 end
  if flow.state ~= 'open' then return again and redis.call('HGET', key, 'ending') == moves[id].ending and 1 or 0 end
  if flow.rev ~= ARGV[4] then return 0 end
  redis.call('SADD', P .. 'flows:ending', id)
  moveNow()
  return 1
end

if verb == 'resume' then
  local rev, run, again, ttl = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
  local count = tonumber(ARGV[11])
  if redis.call('HGET', key, 'rev') ~= rev then
    local isOurs = redis.call('HGET', key, 'run') == run and redis.call('HGET', P .. 'fm:' .. id, ARGV[12]) == ARGV[13]
    return again == '1' and isOurs and 1 or 0
  end
  if redis.call('SISMEMBER', P .. 'flows:ending', id) == 1 then return -1 end
  local outcome = redis.call('HGET', key, 'state') == 'succeeded' and 's' or 'f'
  local flagText, rest = unpack(redis.call('HMGET', key, 'flags', 'rest'))
  redis.call('DEL', P .. 't:' .. id)
  redis.call('ZREM', P .. 'done:f' .. outcome, string.format('%02x', flagText) .. id)
  local name = cjson.decode(string.match(rest, '^[^\n]*'))[3]
  if name ~= cjson.null then redis.call('ZREM', P .. 'nm:' .. name, id) end
  redis.call('HSET', key, 'state', 'open', 'run', run, 'done', ARGV[8], 'failed', ARGV[9], 'failedAt', ARGV[10])
  redis.call('HDEL', key, 'ending', 'endedAt')
  setExpiry(ttl)
  for at = 12, 10 + 2 * count, 2 do
    redis.call('HDEL', P .. 'fo:' .. id, ARGV[at])
    redis.call('HSET', key, 'r' .. ARGV[at], run)
  end
  readMoves(storeLinks(12, count), 1)
  moveNow()
  return 1
end

if verb == 'find' or verb == 'due' then
  local ids, answer = { unpack(ARGV, 3) }, {}
  if verb == 'due' then
    ids = redis.call('ZRANGEBYSCORE', P .. 'flows:expiry', '-inf', now, 'LIMIT', 0, ARGV[4])
    answer[1] = now
  end
  for _, one in ipairs(ids) do
    answer[#answer + 1] = one
    answer[#answer + 1] = redis.call('HGETALL', P .. 'f:' .. one)
  end
  return answer
end

if verb == 'ending' then return redis.call('SMEMBERS', P .. 'flows:ending') end
if verb == 'ended' then return redis.call('SREM', P .. 'flows:ending', id) end

if verb == 'joined' then
  local next, found = unpack(redis.call('HSCAN', P .. 'fj:' .. id, ARGV[4], 'COUNT', 256))
  local answer = { next }
  for i = 1, #found, 2 do answer[#answer + 1] = found[i] end
  return answer
end

if verb == 'drop' then
  local dropped = {}
  for i = 4, #ARGV do
    local body = redis.call('HGET', P .. 'm', ARGV[i])
    local member = body and memberOf(body)
    local number = member and queueOf(member)
    if member and not isWaiting(member) then
      tellHolder(member, '{"order":"cancel","id":"' .. ARGV[i] .. '"}')
    elseif member then
      redis.call('ZREM', P .. 'q:' .. number, member)
      redis.call('ZREM', P .. 'd:' .. number, member)
      dropped[#dropped + 1] = member
    end
  end
  return forget(dropped)
end

-- members, outcomes: reads places, so many and so much at a time.
local isLinks, from = verb == 'members', tonumber(ARGV[4])
local hash = P .. (isLinks and 'fm:' or 'fo:') .. id
local last = math.min(tonumber(redis.call('HGET', key, 'places') or 0), tonumber(ARGV[5]))
local most, bytes, answer = tonumber(ARGV[6]), 0, { -1 }
for place = from, math.min(last, from + 1000) - 1 do
  local length = redis.call('HSTRLEN', hash, place)
  bytes = bytes + length
  if bytes > most and #answer > 1 then
    answer[1] = place
    return answer
  end
  if length > 0 then
    if not isLinks then answer[#answer + 1] = place end
    answer[#answer + 1] = redis.call('HGET', hash, place)
  end
end
if from + 1000 < last then answer[1] = from + 1000 end
return answer
