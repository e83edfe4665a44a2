--@ base
--@ messages
--@ outcomes
--@ removal
-- Retention, in steps of at most `most` tasks. ARGV: now, what to do, then:
--   old: list, age, age of groups, from, most. Returns removed, where to go on (-1: at the end), the first that stays.
--   surplus: list, how many stay, age of groups, from, most. The same, over all but the newest.
--   sort: list, per, most. Sorts what has ended since the last time. Returns how many.
--   parts: how many stay, age of groups, most, how many parts to pass over. Returns removed, and how many parts it saw.
--   rest: what has ended by itself.
local verb = ARGV[2]

-- Tasks that end at `now` - age get this place in the lists.
local function placeAt(age) return (now - tonumber(age)) * 2048 end

local function isYoungMember(member, place, groupPlace)
  return hasFlag(tonumber(string.sub(member, 1, 2), 16), isInGroup) and tonumber(place) >= groupPlace
end

local openFlows = {}
local function isOpen(flow)
  if openFlows[flow] == nil then openFlows[flow] = redis.call('HGET', P .. 'f:' .. flow, 'state') == 'open' end
  return openFlows[flow]
end

local function isOfOpenFlow(member)
  if not hasFlag(tonumber(string.sub(member, 1, 2), 16), isMember) then return false end
  local value = redis.call('GET', P .. 't:' .. string.sub(member, 3))
  local flow = value and membershipOf(bodyOfFinished(value))
  return flow and isOpen(flow)
end

-- Removes from `found` (members and places) what may go.
local function removeSome(list, found, groupPlace)
  local gone, kept = {}, -1
  for i = 1, #found, 2 do
    if isYoungMember(found[i], found[i + 1], groupPlace) or isOfOpenFlow(found[i]) then
      if kept == -1 then kept = found[i + 1] end
    else
      gone[#gone + 1] = found[i]
    end
  end
  return removeFinished(list, gone), kept
end

local function step(list, upTo, groupPlace, from, most)
  local found = redis.call('ZRANGEBYSCORE', P .. list, '(' .. from, upTo, 'WITHSCORES', 'LIMIT', 0, most)
  local removed, kept = removeSome(list, found, groupPlace)
  return { removed, #found == 2 * most and found[#found] or '-1', tostring(kept) }
end

local function text(place) return string.format('%.0f', place) end

if verb == 'old' then
  return step(ARGV[3], '(' .. text(placeAt(ARGV[4])), placeAt(ARGV[5]), ARGV[6], tonumber(ARGV[7]))
end

if verb == 'surplus' then
  local last = redis.call('ZREVRANGE', P .. ARGV[3], ARGV[4], ARGV[4], 'WITHSCORES')
  if not last[2] then return { 0, '-1', '-1' } end
  return step(ARGV[3], last[2], placeAt(ARGV[5]), ARGV[6], tonumber(ARGV[7]))
end

-- Another `per` than the last time: what was sorted by the old one goes, some of it at a time.
local function forgetParts(per)
  if redis.call('HGET', P .. 'counters', 'per') == per then return true end
  local some = redis.call('ZRANGE', P .. 'parts', 0, 99)
  for _, part in ipairs(some) do
    redis.call('UNLINK', P .. 'part:' .. part)
    redis.call('ZREM', P .. 'parts', part)
  end
  if #some > 0 then return false end
  redis.call('HDEL', P .. 'counters', 'sorted:done:ts', 'sorted:done:hs')
  redis.call('HSET', P .. 'counters', 'per', per)
  return true
end

if verb == 'sort' then
  local list, per, most = ARGV[3], ARGV[4], tonumber(ARGV[5])
  if not forgetParts(per) then return 1 end
  local from = redis.call('HGET', P .. 'counters', 'sorted:' .. list) or '-inf'
  if from ~= '-inf' then from = '(' .. from end
  local found = redis.call('ZRANGEBYSCORE', P .. list, from, '+inf', 'WITHSCORES', 'LIMIT', 0, most)
  for i = 1, #found, 2 do
    local value = redis.call('GET', P .. 't:' .. string.sub(found[i], 3))
    if value then
      local part = string.sub(list, 6, 6) .. partOf(per, finishedHead(value))
      if redis.call('ZADD', P .. 'part:' .. part, found[i + 1], found[i]) == 1 then
        redis.call('ZINCRBY', P .. 'parts', 1, part)
      end
    end
  end
  if #found > 0 then redis.call('HSET', P .. 'counters', 'sorted:' .. list, found[#found]) end
  return #found / 2
end

-- What stands first may have to stay, as members of young groups: looks behind it, a few pages far.
local function removeFromPart(part, surplus, groupPlace, most)
  local list = 'done:' .. string.sub(part, 1, 1) .. 's'
  for from = 0, math.min(surplus, 20 * most) - 1, most do
    local to = math.min(surplus, from + most) - 1
    local found = redis.call('ZRANGE', P .. 'part:' .. part, from, to, 'WITHSCORES')
    local removed = removeSome(list, found, groupPlace)
    if removed > 0 then return removed end
  end
  return 0
end

if verb == 'parts' then
  local keep, groupPlace, most = tonumber(ARGV[3]), placeAt(ARGV[4]), tonumber(ARGV[5])
  local removed = 0
  local parts = redis.call('ZRANGEBYSCORE', P .. 'parts', '(' .. keep, '+inf', 'LIMIT', ARGV[6], 100)
  for _, part in ipairs(parts) do
    local surplus = redis.call('ZCARD', P .. 'part:' .. part) - keep
    if removed < most and surplus > 0 then
      removed = removed + removeFromPart(part, surplus, groupPlace, most - removed)
    end
  end
  return { removed, #parts }
end

-- rest: charts look back 90 days.
local old = redis.call('ZRANGEBYSCORE', P .. 'minutes', '-inf', now - 7776000000, 'LIMIT', 0, 100)
for _, minute in ipairs(old) do
  redis.call('UNLINK', P .. 'r:' .. minute)
  redis.call('ZREM', P .. 'minutes', minute)
end
return #old
