-- Finished tasks. `t:<id>` has each in one value: its ending, a line feed, when (a time that is read when it never ran, and
-- may be by the clock of who ran it otherwise), the result's size in bytes and what was changed, a line feed, the result, the
-- body. `done:<kind><outcome>` lists them in the order in which they ended: kind is t (task), h (hook) or f (flow), outcome s
-- (succeeded) or f (anything else), the members flags and id.
local ended = { values = {}, lists = {}, details = {}, sums = {} }
-- Tasks without flags, which are most: their values, and for each its place and its member of `done:t<outcome>`.
local plain = { s = { count = 0, values = {}, places = {} }, f = { count = 0, values = {}, places = {} } }

local lastEnd
-- Ascends with every end; 2,048 of them make a millisecond, so that it tells the time as well.
local function nextEnd()
  if not lastEnd then lastEnd = math.max(now * 2048, tonumber(redis.call('GET', P .. 'last-end') or 0) + 1)
  else lastEnd = lastEnd + 1 end
  return lastEnd
end

-- Counts it in the minute in which it is stored.
local function countEnd(member, ok, ranMs)
  local queue = string.sub(member, 17, 22)
  local sum = ended.sums[queue]
  if not sum then sum = { s = 0, f = 0, b = 0 }; ended.sums[queue] = sum end
  if ok then sum.s = sum.s + 1 else sum.f = sum.f + 1 end
  sum.b = sum.b + ranMs
end

local function kindOf(flags) return flags >= isFlow and 'f' or flags % 2 == isHook and 'h' or 't' end
local endStamp = '\n' .. string.format('%.0f', now) .. ';'

-- What only few have to do: hooks, groups, names, schedules, unique keys.
local function finishFlagged(id, member, body, flags, ok, place)
  if isUncounted(flags) then redis.call('SREM', P .. 'hooks', member) end
  if not place and hasFlag(flags, isNamed) and redis.call('EXISTS', P .. 't:' .. id) == 0 then
    redis.call('ZREM', P .. 'nm:' .. headOf(body)[3], id)
  end
  if not place and ok and hasFlag(flags, isScheduled) then keepOutcome(id, headOf(body)[6], 'succeeded') end
  if place and hasFlag(flags, isInGroup) and (not isUncounted(flags) or headOf(body)[5] == 'iter') then
    push(ended.lists, 'g:' .. (ok and 's' or 'f') .. ':' .. headOf(body)[4], place, id)
  end
  if hasFlag(flags, uniqueTillEnd) or hasFlag(flags, uniqueTillStart) then freeKey(body, id) end
end

local function valueOf(body, changes, ending, result)
  return ending .. endStamp .. wholeText(#result) .. ';' .. (changes or '') .. '\n' .. result .. body
end

local format, floor = string.format, math.floor
-- In two halves: whole numbers are quick to write, and on some machines end at 2 ^ 31.
local function placeText(place)
  local high = floor(place / 1000000000)
  return format('%d%09d', high, place - high * 1000000000)
end

local function finishPlain(id, value, ok)
  local group = plain[ok and 's' or 'f']
  local at = group.count
  group.values[at + 1], group.values[at + 2] = P .. 't:' .. id, value
  group.places[at + 1], group.places[at + 2] = placeText(nextEnd()), '00' .. id
  group.count = at + 2
end

-- Ends a message that has left the lists. `ending` and `result` are texts, as they are kept. A broker may have carried a
-- finished task again: its first ending stays.
local function finish(id, member, body, changes, ok, keep, ending, result, ranMs)
  local flags = string.sub(member, 15, 16)
  local number = flags == '00' and 0 or tonumber(flags, 16)
  local place
  if not isUncounted(number) then countEnd(member, ok, ranMs) end
  if not keep then
    ended.details[#ended.details + 1] = id
  elseif number == 0 then
    finishPlain(id, valueOf(body, changes, ending, result), ok)
  elseif redis.call('EXISTS', P .. 't:' .. id) == 0 then
    place = nextEnd()
    local values = ended.values
    values[#values + 1] = P .. 't:' .. id
    values[#values + 1] = valueOf(body, changes, ending, result)
    push(ended.lists, 'done:' .. kindOf(number) .. (ok and 's' or 'f'), place, flags .. id)
  end
  if number > 0 then finishFlagged(id, member, body, number, ok, place) end
end

-- Passes over those that have an ending: all that are new is the rule.
local function storePlain(outcome)
  local values, places, new = plain[outcome].values, plain[outcome].places, {}
  for from = 1, #values, chunk do
    local to = math.min(#values, from + chunk - 1)
    local areNew = redis.call('MSETNX', unpack(values, from, to)) == 1
    for i = from, to, 2 do
      if areNew or redis.call('SETNX', values[i], values[i + 1]) == 1 then
        new[#new + 1] = places[i]
        new[#new + 1] = places[i + 1]
      end
    end
  end
  callWith('ZADD', P .. 'done:t' .. outcome, new, 2)
end

-- Writes what `finish` gathered.
local function storeEnded()
  storePlain('s')
  storePlain('f')
  for from = 1, #ended.values, chunk do
    redis.call('MSET', unpack(ended.values, from, math.min(#ended.values, from + chunk - 1)))
  end
  for list, members in pairs(ended.lists) do callWith('ZADD', P .. list, members, 2) end
  if #ended.details > 0 then forgetDetails(ended.details) end
  if lastEnd then redis.call('SET', P .. 'last-end', string.format('%.0f', lastEnd)) end
  local minute = string.format('%.0f', math.floor(now / 60000) * 60000)
  for queue, sum in pairs(ended.sums) do
    local number = tonumber(queue, 16)
    local key = P .. 'r:' .. minute
    if sum.s > 0 then redis.call('HINCRBY', key, number .. ':s', sum.s) end
    if sum.f > 0 then redis.call('HINCRBY', key, number .. ':f', sum.f) end
    if sum.b > 0 then redis.call('HINCRBY', key, number .. ':b', string.format('%.0f', sum.b)) end
    redis.call('ZADD', P .. 'minutes', minute, minute)
  end
  wake('store')
end
