--@ base
--@ messages
-- What a reply that never arrived would have handed out goes back. ARGV: now, consumer, then what it knows that it holds.
local known = {}
for i = 3, #ARGV do known[ARGV[i]] = true end
local held = P .. 'h:' .. ARGV[2]
local all = redis.call('HGETALL', held)
local count = 0
for i = 1, #all, 2 do
  if not known[all[i]] then
    redis.call('HDEL', held, all[i])
    giveBack(all[i], all[i + 1])
    count = count + 1
  end
end
return count
