--@ base
--@ messages
-- ARGV: now, 1 for finished tasks only, then ids. Returns now, then three for each that is known: f, its value, '' · w
-- (waits) or h (is held), body, changes · o (an open flow), its id, its hash.
local ids = {}
for i = 3, #ARGV do ids[#ids + 1] = ARGV[i] end
local answer = { now }
local function add(a, b, c)
  answer[#answer + 1] = a
  answer[#answer + 1] = b
  answer[#answer + 1] = c
end
local keys = {}
for i = 1, #ids do keys[i] = P .. 't:' .. ids[i] end
for from = 1, #keys, chunk do
  local to = math.min(#keys, from + chunk - 1)
  local values = redis.call('MGET', unpack(keys, from, to))
  for i = from, to do
    local value = values[i - from + 1]
    if value then
      add('f', value, '')
    elseif ARGV[2] ~= '1' then
      local body = redis.call('HGET', P .. 'm', ids[i])
      if body then
        add(isWaiting(memberOf(body)) and 'w' or 'h', body, redis.call('HGET', P .. 'x', ids[i]) or '')
      elseif redis.call('HGET', P .. 'f:' .. ids[i], 'state') == 'open' then
        add('o', ids[i], redis.call('HGETALL', P .. 'f:' .. ids[i]))
      end
    end
  end
end
return answer
