-- Consumers. `leases` has the end of each lease, `c:<consumer>` the rest of it.

-- Puts on record what the last renewal said was running, and frees everything in its old place.
local function endLease(other)
  local text, lost = unpack(redis.call('HMGET', P .. 'c:' .. other, 'running', 'lost'))
  local running = {}
  for _, task in ipairs(cjson.decode(text or '[]')) do running[task.id] = task end
  local held = redis.call('HGETALL', P .. 'h:' .. other)
  redis.call('DEL', P .. 'c:' .. other, P .. 'h:' .. other)
  redis.call('ZREM', P .. 'leases', other)
  for i = 1, #held, 2 do
    local id = idOf(held[i])
    local changes = readChanges(redis.call('HGET', P .. 'x', id))
    local task = running[id]
    if task then
      recordAttempt(id, changes, string.format(
        '{"number":%d,"ending":"lost","counted":true,"startedAt":%.0f,"stoppedAt":%.0f,"worker":%s,"error":%s}',
        changes.starts + 1, math.floor(task.startedAt), now, cjson.encode(task.worker), lost))
      changes.deliveries = 0
    else
      changes.deliveries = changes.deliveries + 1
    end
    writeChanges(id, changes)
    giveBack(held[i], held[i + 1])
  end
  wake('store')
end

-- Ends the leases of those that fell silent, provided that `heir` itself never did. Returns when the next one may end.
local function takeOver(heir, expiresAt)
  if expiresAt <= now then return nil end
  local first = redis.call('ZRANGE', P .. 'leases', 0, 1, 'WITHSCORES')
  local other = first[1] ~= heir and first[2] or first[4]
  if not other then return nil end
  local unbroken, lease = unpack(redis.call('HMGET', P .. 'c:' .. heir, 'unbroken', 'lease'))
  local ready = tonumber(unbroken) + tonumber(lease)
  if ready > now or tonumber(other) > now then return math.max(ready, tonumber(other)) end
  for _, silent in ipairs(redis.call('ZRANGEBYSCORE', P .. 'leases', '-inf', now)) do
    if silent ~= heir then endLease(silent) end
  end
  return nil
end
