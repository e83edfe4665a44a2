--@ base
--@ messages
-- ARGV: now, what to do, then: counts: cap; returns queued, running, succeeded, failed · throughput: minute; returns
-- minute, queue, succeeded, failed, run time for each.
if ARGV[2] == 'counts' then
  local limit = tonumber(ARGV[3]) + 1
  local queued, running, heldHooks = 0, 0, 0
  local hooks = redis.call('SCARD', P .. 'hooks')
  for _, number in ipairs(redis.call('HVALS', P .. 'queues')) do
    queued = queued + redis.call('ZCARD', P .. 'q:' .. number) + redis.call('ZCARD', P .. 'd:' .. number)
  end
  for _, consumer in ipairs(redis.call('ZRANGE', P .. 'leases', 0, -1)) do
    local held = P .. 'h:' .. consumer
    running = running + redis.call('HLEN', held)
    if hooks > 0 then
      for _, member in ipairs(redis.call('HKEYS', held)) do
        if isUncounted(flagsOf(member)) then heldHooks = heldHooks + 1 end
      end
    end
  end
  local function capped(n) return math.max(0, math.min(n, limit)) end
  return {
    capped(queued - (hooks - heldHooks)), capped(running - heldHooks),
    capped(redis.call('ZCARD', P .. 'done:ts')), capped(redis.call('ZCARD', P .. 'done:tf')) }
end

local rows = {}
for _, minute in ipairs(redis.call('ZRANGEBYSCORE', P .. 'minutes', ARGV[3], '+inf')) do
  local sums, order = {}, {}
  local all = redis.call('HGETALL', P .. 'r:' .. minute)
  for i = 1, #all, 2 do
    local number, which = string.match(all[i], '^(%d+):(.)$')
    if not sums[number] then
      sums[number] = { s = '0', f = '0', b = '0' }
      order[#order + 1] = number
    end
    sums[number][which] = all[i + 1]
  end
  for _, number in ipairs(order) do
    local sum = sums[number]
    for _, value in ipairs({ minute, redis.call('HGET', P .. 'queue-names', number) or '', sum.s, sum.f, sum.b }) do
      rows[#rows + 1] = value
    end
  end
end
return rows
