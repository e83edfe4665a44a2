--@ base
-- ARGV: now, what to do, then: beat: cluster, time to live, status · clusters · tell: cluster, order · inbox: cluster.
local verb = ARGV[2]

if verb == 'beat' then
  redis.call('HSET', P .. 'beats', ARGV[3], string.format('%.0f', now + math.ceil(tonumber(ARGV[4]))) .. ' ' .. ARGV[5])
  return 1
end

if verb == 'clusters' then
  local live = {}
  local all = redis.call('HGETALL', P .. 'beats')
  for i = 1, #all, 2 do
    local untilText, status = string.match(all[i + 1], '^(%d+) (.*)$')
    if tonumber(untilText) > now then live[#live + 1] = status
    else redis.call('HDEL', P .. 'beats', all[i]) end
  end
  return live
end

local orders = P .. 'o:' .. ARGV[3]
if verb == 'tell' then
  redis.call('RPUSH', orders, ARGV[4])
  -- A cluster that never comes leaves them behind.
  redis.call('EXPIRE', orders, 86400)
  wake('store')
  return 1
end

local all = redis.call('LRANGE', orders, 0, -1)
if #all > 0 then redis.call('DEL', orders) end
return all
