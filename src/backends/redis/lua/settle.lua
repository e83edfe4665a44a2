--@ base
--@ messages
--@ insert
--@ outcomes
--@ endings
--@ members
--@ telling
-- Ends deliveries that a consumer holds. ARGV: now, consumer, how many, 1 when an earlier try may have arrived, how many
-- moves, then one text for each: action, run time or delay, ";", member, ";", ending or attempt, a line feed, result. Then the
-- moves of flows. Then the follow-ups: the place of their settlement (from 1), and the message. Returns a text with 1 or 0
-- for each, or 2: it lacks a move, and nothing of it was stored. Then for each 2 what has to be known for it. Then the links
-- that were to be looked up.
--   s, f: success or another end, kept · n: success, not kept · r: retry · q: back, unstarted · p: back, a suspect ·
--   d: removed
local id, count, again = ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'
local held = P .. 'h:' .. id
local first = 5
local followUpsAt = readMoves(first + count + 1, tonumber(ARGV[5]))
local sub, find = string.sub, string.find
local members, ids, recordsAt = {}, {}, {}
for i = 1, count do
  local text = ARGV[first + i]
  local from = find(text, ';', 1, true) + 1
  local to = find(text, ';', from, true)
  local member = sub(text, from, to - 1)
  members[i], ids[i], recordsAt[i] = member, sub(member, 23), to + 1
end

local function msOf(i) return tonumber(sub(ARGV[first + i], 2, recordsAt[i] - #members[i] - 3)) end
-- The ending or the attempt, and the result.
local function recordOf(i)
  local text, at = ARGV[first + i], recordsAt[i]
  local feed = find(text, '\n', at, true)
  return sub(text, at, feed - 1), sub(text, feed + 1)
end

-- Said again after a lost reply: the ending is there already, and is this one.
local function wasStored(i, action)
  if not again or (action ~= 's' and action ~= 'f') then return false end
  local text, record = redis.call('GET', P .. 't:' .. ids[i]), recordOf(i)
  if not text or sub(text, 1, #record + 1) ~= record .. '\n' then return false end
  local size, from = string.match(text, '^[^\n]*\n[^;]*;(%d+);[^\n]*\n()')
  return memberOf(sub(text, from + tonumber(size))) == members[i]
end

local scores = count > 0 and readWith('HMGET', held, members) or {}
local bodies = count > 0 and readWith('HMGET', P .. 'm', ids) or {}
local changes = count > 0 and readChangesOf(ids) or {}
local answers, gone, goneIds, changed, dropped, done, lacking = {}, {}, {}, {}, {}, {}, {}

local function putBack(i, action)
  local c = readChanges(changes[i])
  local delay, attempt, score = math.ceil(msOf(i)), recordOf(i), scores[i]
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

local function endOne(i, action, flow, place, run)
  local record, result = recordOf(i)
  if flow then tell(flow, place, run, action ~= 'f', record, result) end
  finish(ids[i], members[i], bodies[i], changes[i], action ~= 'f', action ~= 'n', record, result, msOf(i))
  goneIds[#goneIds + 1] = ids[i]
  if changes[i] then changed[#changed + 1] = ids[i] end
end

for i = 1, count do
  local member, action = members[i], sub(ARGV[first + i], 1, 1)
  local flow, place, run
  local isOurs = scores[i] and bodies[i] and not done[member]
  if isOurs and sub(member, 15, 16) ~= '00' and isEnd(action) and hasFlag(flagsOf(member), isMember) then
    flow, place, run = toTell(ids[i], bodies[i])
  end
  if not isOurs then
    answers[i] = wasStored(i, action) and '1' or '0'
  elseif flow and lacksMove(flow) then
    answers[i] = '2'
    lacking[#lacking + 1] = { flow, place, run }
  else
    answers[i] = '1'
    done[member] = true
    gone[#gone + 1] = member
    -- The first write is one that a full memory allows; the rest of a script that has begun is allowed as well.
    if #gone == 1 then redis.call('HDEL', held, member) end
    if isEnd(action) then endOne(i, action, flow, place, run)
    elseif action == 'd' then dropped[#dropped + 1] = member
    else putBack(i, action) end
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

local reply = { table.concat(answers) }
for _, lack in ipairs(lacking) do reply[#reply + 1] = needOf(unpack(lack)) end
for _, ahead in ipairs(aheads) do reply[#reply + 1] = ahead end
for at = followUpsAt, #ARGV, messageWidth + 1 do
  if answers[tonumber(ARGV[at])] == '1' then insert(at + 1, 1, messageWidth, true) end
end
return reply
