--@ base
--@ messages
-- Says what a process waits for: tasks in some queues, anything in the store ("store"), or schedules ("plan"). ARGV: now,
-- its id, for how long in milliseconds (0: no longer), then "store" or "plan", or "q" and a queue's name.
local until_ = serverTime() + tonumber(ARGV[3])
for i = 4, #ARGV do
  local topic = ARGV[i]
  if string.sub(topic, 1, 2) == 'q:' then topic = 'q:' .. queueNumber(string.sub(topic, 3)) end
  if ARGV[3] == '0' then redis.call('ZREM', P .. 'w:' .. topic, ARGV[2])
  else redis.call('ZADD', P .. 'w:' .. topic, until_, ARGV[2]) end
end
return 1
