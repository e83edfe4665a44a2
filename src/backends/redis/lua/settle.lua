--@ base
--@ messages
--@ insert
--@ outcomes
--@ endings
--@ members
--@ telling
-- Ends deliveries that a consumer holds. ARGV: now, consumer, how many, 1 when an earlier try may have arrived, how many
-- moves, the actions in one text, then the members, then what is to be stored of each. Then the moves of flows. Then the
-- follow-ups: the place of their settlement (from 1), and the message. Returns a text with 1 or 0 for each, or 2: it lacks a
-- move, and nothing of it was stored. Then for each 2 what has to be known for it. Then the links that were to be looked up.
-- An action is a letter, the run time or the delay, and ";":
--   s: success, kept; the beginning of its value, up to the body · n: success, not kept · u, f: success or another end, kept;
--   an ending, a line of which nothing is read, a result · r: retry · q: back, unstarted · p: back, a suspect; an attempt or
--   nothing · d: removed
-- Lua reads every byte of each text it makes: what is stored comes as it is stored, and is not taken apart.
local id, count, again = ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'
local held = P .. 'h:' .. id
local sub, find = string.sub, string.find
local members = { unpack(ARGV, 7, 6 + count) }
local textsAt = 6 + count
local followUpsAt = readMoves(textsAt + count + 1, tonumber(ARGV[5]))
local actions, times, ids = {}, {}, {}
for action, ms in string.gmatch(ARGV[6], '(%a)([^;]*);') do
  local i = #ids + 1
  actions[i], times[i], ids[i] = action, ms, sub(members[i], 23)
end

-- The ending or the attempt, and the result.
local function recordOf(i)
  local text = ARGV[textsAt + i]
  local first = find(text, '\n', 1, true)
  if not first then return text, '' end
  return sub(text, 1, first - 1), sub(text, find(text, '\n', first + 1, true) + 1)
end

-- Said again after a lost reply: the ending is there already, and is this one.
local function wasStored(i)
  if not again or actions[i] ~= 's' and actions[i] ~= 'u' and actions[i] ~= 'f' then return false end
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
  local delay, attempt, score = math.ceil(tonumber(times[i])), recordOf(i), scores[i]
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

local ends = { s = true, u = true, f = true, n = true }

local function endOne(i, action, flow, place, run)
  goneIds[#goneIds + 1] = ids[i]
  if action == 's' and not changes[i] and sub(members[i], 15, 16) == '00' then
    countEnd(members[i], true, tonumber(times[i]))
    return finishPlain(ids[i], ARGV[textsAt + i] .. bodies[i], true)
  end
  local record, result = recordOf(i)
  if flow then tell(flow, place, run, action ~= 'f', record, result) end
  finish(ids[i], members[i], bodies[i], changes[i], action ~= 'f', action ~= 'n', record, result, tonumber(times[i]))
  if changes[i] then changed[#changed + 1] = ids[i] end
end

for i = 1, count do
  local member, action = members[i], actions[i]
  local flow, place, run
  local isOurs = scores[i] and bodies[i] and not done[member]
  if isOurs and ends[action] and sub(member, 15, 16) ~= '00' and hasFlag(flagsOf(member), isMember) then
    flow, place, run = toTell(ids[i], bodies[i])
  end
  if not isOurs then
    answers[i] = wasStored(i) and '1' or '0'
  elseif flow and lacksMove(flow) then
    answers[i] = '2'
    lacking[#lacking + 1] = { flow, place, run }
  else
    answers[i] = '1'
    done[member] = true
    gone[#gone + 1] = member
    -- The first write is one that a full memory allows; the rest of a script that has begun is allowed as well.
    if #gone == 1 then redis.call('HDEL', held, member) end
    if ends[action] then endOne(i, action, flow, place, run)
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
