--@ base
--@ messages
--@ insert
--@ outcomes
--@ endings
--@ members
--@ telling
-- A task that ran in its caller's process. ARGV: now, action (s, f or n), ending, result, run time, how many moves, the
-- moves, the message, then what follows. Returns 1 · 0: it is known · what has to be known for the move that it lacks · "!"
-- and more, as submit.lua does.
local at = readMoves(7, tonumber(ARGV[6]))
local id, ok = ARGV[at], ARGV[2] ~= 'f'
if knownIds({ id }, true)[id] then return 0 end
local passed, writes = admit(at, 1, messageWidth)
if not passed then return writes end
if passed[id] then return 0 end
local flow, place, run
if #writes > 0 then flow, place, run = toTell(id, ARGV[at + 7]) end
if flow and lacksMove(flow) then return needOf(flow, place, run) end
storeJoins(writes)
local message = newMessage(at, redis.call('HINCRBY', P .. 'counters', 'messages', 1) - 1)
local named = hasFlag(message.flags, isNamed) and ARGV[2] ~= 'n'
if named then redis.call('ZADD', P .. 'nm:' .. headOf(message.body)[3], now, message.id) end
finish(id, message.member, message.body, false, ok, ARGV[2] ~= 'n', ARGV[3], ARGV[4], tonumber(ARGV[5]))
if flow then tell(flow, place, run, ok, ARGV[3], ARGV[4]) end
storeFlows()
storeEnded()
at = at + messageWidth
if #ARGV >= at then insert(at, (#ARGV - at + 1) / messageWidth, messageWidth, true) end
return 1
