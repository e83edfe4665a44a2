--@ base
--@ messages
--@ insert
--@ outcomes
--@ endings
-- ARGV: now, id, ending, order, then the follow-ups.
local id = ARGV[2]
if redis.call('EXISTS', P .. 't:' .. id) == 1 then return 'finished' end
local body = redis.call('HGET', P .. 'm', id)
if not body then return 'unknown' end
local member = memberOf(body)
local number = queueOf(member)
if redis.call('ZREM', P .. 'q:' .. number, member) + redis.call('ZREM', P .. 'd:' .. number, member) == 0 then
  for _, consumer in ipairs(redis.call('ZRANGE', P .. 'leases', 0, -1)) do
    if redis.call('HEXISTS', P .. 'h:' .. consumer, member) == 1 then
      local cluster = redis.call('HGET', P .. 'c:' .. consumer, 'cluster')
      redis.call('RPUSH', P .. 'o:' .. cluster, ARGV[4])
      redis.call('EXPIRE', P .. 'o:' .. cluster, 86400)
      wake('store')
    end
  end
  return 'requested'
end
if outbox then redis.call('ZREM', P .. 'unsent', member) end
finish(id, member, body, redis.call('HGET', P .. 'x', id), false, true, true, ARGV[3], '', 0)
redis.call('HDEL', P .. 'm', id)
redis.call('HDEL', P .. 'x', id)
storeEnded()
if #ARGV > 4 then insert(5, (#ARGV - 4) / messageWidth, messageWidth, true) end
return 'cancelled'
