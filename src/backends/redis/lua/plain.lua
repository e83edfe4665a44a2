-- New messages that are due at once and that nobody has to look after: most are such. Stands before all that the others need:
-- to set that up takes longer than to store one message. The texts are those of `newMessage`, the values those of `insert`.
local function queuePlain()
  local width, first, count = 8, 3, (#ARGV - 2) / 8
  local format, stamp = string.format, string.format(';%.0f;%.0f;;', now, now)
  local ids, keys, seen, lines = {}, {}, {}, {}
  for i = 1, count do
    local at = first + (i - 1) * width
    local id, queue = ARGV[at], ARGV[at + 1]
    if ARGV[at + 2] ~= '0' or ARGV[at + 4] ~= '0' or ARGV[at + 5] ~= '' or ARGV[at + 6] ~= '' or seen[id] then return false end
    if not lines[queue] then
      local number = redis.call('HGET', P .. 'queues', queue)
      if not number then return false end
      lines[queue] = { number = number, members = {}, size = 0 }
    end
    ids[i], keys[i], seen[id] = id, P .. 't:' .. id, true
  end
  for from = 1, count, chunk do
    local to = math.min(count, from + chunk - 1)
    if ARGV[2] == '1' and redis.call('EXISTS', unpack(keys, from, to)) > 0 then return false end
    local known = redis.call('HMGET', P .. 'm', unpack(ids, from, to))
    for i = 1, #known do if known[i] then return false end end
  end

  local seq, bodies, scores = redis.call('HINCRBY', P .. 'counters', 'messages', count) - count - 1, {}, {}
  for i = 1, count do
    local at = first + (i - 1) * width
    local line, rank = lines[ARGV[at + 1]], ARGV[at + 3]
    local score = scores[rank]
    if not score then
      score = format('%.0f', rank * 4398046511104 + math.min(now, 4398046511103))
      scores[rank] = score
    end
    local member = format('%012x%02x00%06x', seq + i, rank, line.number) .. ids[i]
    bodies[2 * i - 1], bodies[2 * i] = ids[i], member .. stamp .. ARGV[at + 7]
    local size = line.size
    line.members[size + 1], line.members[size + 2], line.size = score, member, size + 2
  end
  callWith('HSET', P .. 'm', bodies, 2)
  for _, line in pairs(lines) do
    callWith('ZADD', P .. 'q:' .. line.number, line.members, 2)
    wake('q:' .. line.number)
  end
  wake('store')
  return true
end
if not outbox and #ARGV > 2 and queuePlain() then return {} end
