-- Finished tasks. `t:<id>` has each in one value: its ending, a line feed, when, the result's size in bytes and what was
-- changed, a line feed, the result, the body. `done:<kind><outcome>` lists them in the order in which they ended: kind is
-- t (task) or h (hook), outcome s (succeeded) or f (anything else), the members flags and id.
local ended = { values = {}, lists = {}, details = {}, sums = {} }

local lastEnd
-- Ascends with every end; 2,048 of them make a millisecond, so that it tells the time as well.
local function nextEnd()
  lastEnd = lastEnd or tonumber(redis.call('GET', P .. 'last-end') or 0)
  lastEnd = math.max(now * 2048, lastEnd + 1)
  return lastEnd
end

-- Counts it in the minute in which it is stored. Hooks are not counted.
local function countEnd(member, ok, ranMs)
  if hasFlag(flagsOf(member), isHook) then return end
  local number = queueOf(member)
  local sum = ended.sums[number]
  if not sum then sum = { s = 0, f = 0, b = 0 }; ended.sums[number] = sum end
  if ok then sum.s = sum.s + 1 else sum.f = sum.f + 1 end
  sum.b = sum.b + ranMs
end

-- Ends a message that has left the lists. `ending` and `result` are texts, as they are kept.
local function finish(member, body, changes, ok, keep, ending, result, ranMs)
  local id, flags = idOf(member), flagsOf(member)
  countEnd(member, ok, ranMs)
  if not keep then
    ended.details[#ended.details + 1] = id
    if hasFlag(flags, isNamed) then redis.call('ZREM', P .. 'nm:' .. headOf(body)[3], id) end
  elseif redis.call('EXISTS', P .. 't:' .. id) == 0 then
    local place = nextEnd()
    local outcome = ok and 's' or 'f'
    local values = ended.values
    values[#values + 1] = P .. 't:' .. id
    values[#values + 1] = table.concat({
      ending, '\n', string.format('%.0f;%d;', now, #result), changes or '', '\n', result, body })
    local list = 'done:' .. (hasFlag(flags, isHook) and 'h' or 't') .. outcome
    push(ended.lists, list, place, string.sub(member, 15, 16) .. id)
    if hasFlag(flags, isInGroup) and not hasFlag(flags, isHook) then
      push(ended.lists, 'g:' .. outcome .. ':' .. headOf(body)[4], place, id)
    end
  end
  if hasFlag(flags, uniqueTillEnd) or hasFlag(flags, uniqueTillStart) then freeKey(body, id) end
  if hasFlag(flags, isHook) then redis.call('SREM', P .. 'hooks', member) end
end

-- Writes what `finish` gathered.
local function storeEnded()
  for from = 1, #ended.values, chunk do
    redis.call('MSET', unpack(ended.values, from, math.min(#ended.values, from + chunk - 1)))
  end
  for list, members in pairs(ended.lists) do callWith('ZADD', P .. list, members, 2) end
  if #ended.details > 0 then forgetDetails(ended.details) end
  if lastEnd then redis.call('SET', P .. 'last-end', string.format('%.0f', lastEnd)) end
  local minute = string.format('%.0f', math.floor(now / 60000) * 60000)
  for number, sum in pairs(ended.sums) do
    local key = P .. 'r:' .. minute
    if sum.s > 0 then redis.call('HINCRBY', key, number .. ':s', sum.s) end
    if sum.f > 0 then redis.call('HINCRBY', key, number .. ':f', sum.f) end
    if sum.b > 0 then redis.call('HINCRBY', key, number .. ':b', string.format('%.0f', sum.b)) end
    redis.call('ZADD', P .. 'minutes', minute, minute)
  end
  wake('store')
end
