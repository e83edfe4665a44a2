--@ base
--@ messages
--@ insert
--@ outcomes
--@ endings
-- A task that ran in its caller's process. ARGV: now, action (s, f or n), ending, result, run time, the message, then
-- what follows.
local at = 6
if knownIds({ ARGV[at] }, true)[ARGV[at]] then return 0 end
local message = newMessage(at, redis.call('HINCRBY', P .. 'counters', 'messages', 1) - 1)
local named = hasFlag(message.flags, isNamed) and ARGV[2] ~= 'n'
if named then redis.call('ZADD', P .. 'nm:' .. headOf(message.body)[3], now, message.id) end
finish(message.id, message.member, message.body, false, ARGV[2] ~= 'f', ARGV[2] ~= 'n', true, ARGV[3], ARGV[4],
  tonumber(ARGV[5]))
storeEnded()
at = at + messageWidth
if #ARGV >= at then insert(at, (#ARGV - at + 1) / messageWidth, messageWidth, true) end
return 1
