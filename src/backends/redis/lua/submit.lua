--@ base
--@ messages
--@ insert
-- ARGV: now, 1 when a finished task counts as known, then the messages.
return insert(3, (#ARGV - 2) / messageWidth, messageWidth, ARGV[2] == '1')
