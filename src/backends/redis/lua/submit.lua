--@ base
--@ plain
--@ messages
--@ insert
--@ members
-- ARGV: now, 1 when a finished task counts as known, then the messages. Returns those that were not new; or "!", the flow that
-- takes no more members, its hash, and how many were to join: then nothing was stored.
local count = (#ARGV - 2) / messageWidth
local passed, writes = admit(3, count, messageWidth)
if not passed then return writes end
storeJoins(writes)
return insert(3, count, messageWidth, ARGV[2] == '1', passed)
