--@ base
--@ messages
--@ leases
-- ARGV: now, what to do, consumer, then: open: lease, cluster, lost · renew: running.
local verb, id = ARGV[2], ARGV[3]
local own = P .. 'c:' .. id

-- A script that has begun to write may go on with a full memory, and a lease must not end for want of some bytes.
redis.call('PERSIST', own)

-- The clock was set back: a lease that ends later than it ever could ends one lease from now, else the dead would keep
-- what they held for as long as the clock has jumped.
local function shortenLeases()
  for _, other in ipairs(redis.call('ZRANGEBYSCORE', P .. 'leases', '(' .. string.format('%.0f', now), '+inf')) do
    local lease, unbroken = unpack(redis.call('HMGET', P .. 'c:' .. other, 'lease', 'unbroken'))
    lease = tonumber(lease)
    if lease and tonumber(redis.call('ZSCORE', P .. 'leases', other)) > now + lease + 1000 then
      redis.call('ZADD', P .. 'leases', now + lease, other)
    end
    if unbroken and tonumber(unbroken) > now then redis.call('HSET', P .. 'c:' .. other, 'unbroken', now) end
  end
end

if verb == 'open' then
  local lease = math.ceil(tonumber(ARGV[4]))
  redis.call('ZADD', P .. 'leases', now + lease, id)
  redis.call('HSET', own, 'lease', lease, 'unbroken', now, 'cluster', ARGV[5], 'lost', ARGV[6], 'running', '[]')
  return 1
end

local expiresAt = tonumber(redis.call('ZSCORE', P .. 'leases', id) or nil)

if verb == 'renew' then
  if not expiresAt then return 0 end
  shortenLeases()
  local lease = tonumber(redis.call('HGET', own, 'lease'))
  if expiresAt <= now then redis.call('HSET', own, 'unbroken', now) end
  redis.call('ZADD', P .. 'leases', now + lease, id)
  redis.call('HSET', own, 'running', ARGV[4])
  takeOver(id, now + lease)
  return 1
end

-- close
if not expiresAt then return 0 end
local held = redis.call('HGETALL', P .. 'h:' .. id)
redis.call('ZREM', P .. 'leases', id)
redis.call('DEL', own, P .. 'h:' .. id)
for i = 1, #held, 2 do giveBack(held[i], held[i + 1]) end
wake('store')
return 1
