--@ base
--@ messages
-- ARGV: now, what to do, then: given: name, returns the newest id · finished: list, from, to; returns flags and id of the
-- newest first · waiting: returns the lists of unfinished ones · unfinished: list, from, to; returns members.
if ARGV[2] == 'given' then return redis.call('ZREVRANGE', P .. 'nm:' .. ARGV[3], 0, 0) end
if ARGV[2] == 'waiting' then
  local lists = {}
  for _, number in ipairs(redis.call('HVALS', P .. 'queues')) do
    lists[#lists + 1] = 'q:' .. number
    lists[#lists + 1] = 'd:' .. number
  end
  for _, consumer in ipairs(redis.call('ZRANGE', P .. 'leases', 0, -1)) do lists[#lists + 1] = 'h:' .. consumer end
  return lists
end
if string.sub(ARGV[3], 1, 2) == 'h:' then
  -- What is held is little, and comes in one piece.
  return ARGV[4] == '0' and redis.call('HKEYS', P .. ARGV[3]) or {}
end
return redis.call('ZREVRANGE', P .. ARGV[3], ARGV[4], ARGV[5])
