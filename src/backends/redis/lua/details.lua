--@ base
-- What belongs to a task besides its value. ARGV: now, what to do, then: attempts: id · notes: id · report: id, at,
-- progress and line for each note.
if ARGV[2] == 'attempts' then
  return { redis.call('LRANGE', P .. 'a:' .. ARGV[3], 0, -1), redis.call('GET', P .. 't:' .. ARGV[3]) or '' }
end
if ARGV[2] == 'notes' then
  return { redis.call('GET', P .. 'np:' .. ARGV[3]) or '', redis.call('LRANGE', P .. 'nl:' .. ARGV[3], 0, -1) }
end
for at = 3, #ARGV, 4 do
  local id = ARGV[at]
  -- Notes of unknown tasks are dropped: nothing would ever remove them.
  if redis.call('HEXISTS', P .. 'm', id) == 1 or redis.call('EXISTS', P .. 't:' .. id) == 1 then
    if ARGV[at + 2] ~= '' then
      local before = redis.call('GET', P .. 'np:' .. id)
      if not before or tonumber(string.match(before, '^%-?%d+')) <= tonumber(ARGV[at + 1]) then
        redis.call('SET', P .. 'np:' .. id, ARGV[at + 1] .. ' ' .. ARGV[at + 2])
      end
    end
    if ARGV[at + 3] ~= '' then redis.call('RPUSH', P .. 'nl:' .. id, ARGV[at + 3]) end
  end
end
wake('store')
return 1
