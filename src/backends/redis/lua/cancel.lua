--@ base
--@ messages
--@ insert
--@ outcomes
--@ endings
--@ members
--@ telling
-- ARGV: now, id, ending, order, how many moves, the moves, then the follow-ups. Returns a word · now and the hash of an open
-- flow, which is ended otherwise · what has to be known for the move that it lacks.
local id = ARGV[2]
local at = readMoves(6, tonumber(ARGV[5]))
if redis.call('EXISTS', P .. 't:' .. id) == 1 then return 'finished' end
local body = redis.call('HGET', P .. 'm', id)
if not body then
  local flow = flowById(id)
  return flow and flow.state == 'open' and { now, redis.call('HGETALL', P .. 'f:' .. id) } or 'unknown'
end
local member = memberOf(body)
if not isWaiting(member) then
  tellHolder(member, ARGV[4])
  return 'requested'
end
local flow, place, run
if hasFlag(flagsOf(member), isMember) then flow, place, run = toTell(id, body) end
if flow and lacksMove(flow) then return needOf(flow, place, run) end
local number = queueOf(member)
redis.call('ZREM', P .. 'q:' .. number, member)
redis.call('ZREM', P .. 'd:' .. number, member)
if outbox then redis.call('ZREM', P .. 'unsent', member) end
finish(id, member, body, redis.call('HGET', P .. 'x', id), false, true, ARGV[3], '', 0)
if flow then tell(flow, place, run, false, ARGV[3]) end
redis.call('HDEL', P .. 'm', id)
redis.call('HDEL', P .. 'x', id)
storeFlows()
storeEnded()
if #ARGV >= at then insert(at, (#ARGV - at + 1) / messageWidth, messageWidth, true) end
return 'cancelled'
