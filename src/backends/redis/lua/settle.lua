--@ base
--@ messages
--@ insert
--@ outcomes
--@ endings
--@ members
--@ telling
-- Ends deliveries that a consumer holds. ARGV: now, consumer, how many, 1 when an earlier try may have arrived, how many
-- moves, then five for each: member, action, run time or delay, ending or attempt, result. Then the moves of flows. Then the
-- follow-ups: the place of their settlement (from 1), and the message. Returns 1 or 0 for each, or 2: it lacks a move, and
-- nothing of it was stored. Then for each 2 what has to be known for it. Then the links that were to be looked up.
--   s, f: success or another end, kept · n: success, not kept · r: retry · q: back, unstarted · p: back, a suspect ·
--   d: removed
local id, count, again = ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'
local held = P .. 'h:' .. id
local first, width = 6, 5
local followUpsAt = readMoves(first + count * width, tonumber(ARGV[5]))
local answers, members, ids, keys = {}, {}, {}, {}
for i = 1, count do
  local member = ARGV[first + (i - 1) * width]
  members[i] = member
  ids[i] = string.sub(member, 23)
  keys[i] = P .. 't:' .. ids[i]
end

-- Said again after a lost reply: the ending is there already, and is this one.
local function wasStored(i, at)
  if not again or (ARGV[at + 1] ~= 's' and ARGV[at + 1] ~= 'f') then return false end
  local text = redis.call('GET', keys[i])
  if not text or string.sub(text, 1, #ARGV[at + 3] + 1) ~= ARGV[at + 3] .. '\n' then return false end
  local size, from = string.match(text, '^[^\n]*\n[^;]*;(%d+);[^\n]*\n()')
  return memberOf(string.sub(text, from + tonumber(size))) == members[i]
end

local scores = count > 0 and readWith('HMGET', held, members) or {}
local bodies = count > 0 and readWith('HMGET', P .. 'm', ids) or {}
local changes = count > 0 and readChangesOf(ids) or {}
-- A broker may have carried a finished task again: seldom, so all are asked for at once.
local areAllNew = true
for from = 1, count, chunk do
  if redis.call('EXISTS', unpack(keys, from, math.min(count, from + chunk - 1))) > 0 then areAllNew = false end
end
local gone, goneIds, changed, dropped, done, lacking = {}, {}, {}, {}, {}, {}

local function putBack(i, at, action)
  local c = readChanges(changes[i])
  local delay, attempt, score = math.ceil(tonumber(ARGV[at + 2])), ARGV[at + 3], scores[i]
  if attempt ~= '' then recordAttempt(ids[i], c, attempt) end
  if action == 'r' then c.deliveries = 0 end
  if action == 'p' then c.deliveries = c.deliveries + 2 end
  if action == 'r' or delay > 0 then
    c.due = string.format('%.0f', now + delay)
    joinLine(members[i], now + delay)
  else
    giveBack(members[i], score)
  end
  if changes[i] or action ~= 'q' or delay > 0 or attempt ~= '' then writeChanges(ids[i], c) end
end

local function isEnd(action) return action == 's' or action == 'f' or action == 'n' end

for i = 1, count do
  local at = first + (i - 1) * width
  local action = ARGV[at + 1]
  local flow, place, run
  if scores[i] and bodies[i] and not done[members[i]] and isEnd(action) and hasFlag(flagsOf(members[i]), isMember) then
    flow, place, run = toTell(ids[i], bodies[i])
  end
  if not scores[i] or not bodies[i] or done[members[i]] then
    answers[i] = wasStored(i, at) and 1 or 0
  elseif flow and lacksMove(flow) then
    answers[i] = 2
    lacking[#lacking + 1] = { flow, place, run }
  else
    answers[i] = 1
    done[members[i]] = true
    gone[#gone + 1] = members[i]
    -- The first write is one that a full memory allows; the rest of a script that has begun is allowed as well.
    if #gone == 1 then redis.call('HDEL', held, members[i]) end
    if flow then tell(flow, place, run, action ~= 'f', ARGV[at + 3], ARGV[at + 4]) end
    if action == 'r' or action == 'q' or action == 'p' then
      putBack(i, at, action)
    elseif action == 'd' then
      dropped[#dropped + 1] = members[i]
    else
      local isNew = areAllNew or redis.call('EXISTS', keys[i]) == 0
      finish(ids[i], members[i], bodies[i], changes[i], action ~= 'f', action ~= 'n', isNew, ARGV[at + 3], ARGV[at + 4],
        tonumber(ARGV[at + 2]))
      goneIds[#goneIds + 1] = ids[i]
      if changes[i] then changed[#changed + 1] = ids[i] end
    end
  end
end

if #gone > 0 then
  callWith('HDEL', held, gone)
  if #goneIds > 0 then callWith('HDEL', P .. 'm', goneIds) end
  if #changed > 0 then callWith('HDEL', P .. 'x', changed) end
  forget(dropped)
  storeFlows()
  storeEnded()
end

for _, lack in ipairs(lacking) do answers[#answers + 1] = needOf(unpack(lack)) end
for _, ahead in ipairs(aheads) do answers[#answers + 1] = ahead end
for at = followUpsAt, #ARGV, messageWidth + 1 do
  if answers[tonumber(ARGV[at])] == 1 then insert(at + 1, 1, messageWidth, true) end
end
return answers
