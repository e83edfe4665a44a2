--@ base
--@ messages
--@ insert
--@ outcomes
-- Schedules. `schedules` has each by id: its revision, its number of runs and the time it was made, a line feed, its
-- definition, a line feed, its progress. The definition is JSON: name, cluster, func, rule, target, who declared it,
-- fingerprint; and so is the progress: next slot, due time, repeats, paused, last task, fault.
--   schedules:names by name · schedules:ids, schedules:by:<declarer> by id · schedules:due, schedules:due:<cluster> by due
--   time · schedules:paused, schedules:broken
-- ARGV: now, what to do, then:
--   insert: id, definition, progress. Returns the id of the schedule that has the name, and 1 when it is this one.
--   change: 1 when an earlier try may have arrived, then for each change: id, revision, definition or nothing, progress or
--   nothing, how many runs, how many tasks, the runs (number and text), the tasks. Returns a letter for each.
--   find: id or name · list: limit, after, whose or nothing · due: limit, clusters · counts.
local verb = ARGV[2]
local function keyOf(what) return P .. 'schedules' .. what end

local function read(id)
  local text = redis.call('HGET', keyOf(''), id)
  if not text then return nil end
  local revision, runs, made, definition, progress = string.match(text, '^(%d+);(%d+);(%d+)\n([^\n]*)\n(.*)$')
  return { id = id, revision = revision, runs = tonumber(runs), made = made, definition = definition, progress = progress }
end

local function valueOf(value) if value ~= cjson.null then return value end end

-- Everything by which it is found.
local function places(s)
  local definition, progress = cjson.decode(s.definition), cjson.decode(s.progress)
  return {
    name = valueOf(definition[1]), cluster = valueOf(definition[2]) or '', by = valueOf(definition[6]),
    due = valueOf(progress[2]), paused = progress[4], broken = progress[6] ~= cjson.null,
  }
end

local function leavePlaces(s)
  local old = places(s)
  if old.name then redis.call('HDEL', keyOf(':names'), old.name) end
  if old.by then redis.call('ZREM', keyOf(':by:' .. old.by), s.id) end
  redis.call('ZREM', keyOf(':due'), s.id)
  redis.call('ZREM', keyOf(':due:' .. old.cluster), s.id)
  redis.call('SREM', keyOf(':paused'), s.id)
  redis.call('SREM', keyOf(':broken'), s.id)
end

local function takePlaces(s)
  local new = places(s)
  if new.name then redis.call('HSET', keyOf(':names'), new.name, s.id) end
  redis.call('ZADD', keyOf(':ids'), 0, s.id)
  if new.by then redis.call('ZADD', keyOf(':by:' .. new.by), 0, s.id) end
  if new.due then
    redis.call('ZADD', keyOf(':due'), new.due, s.id)
    redis.call('ZADD', keyOf(':due:' .. new.cluster), new.due, s.id)
  end
  if new.paused then redis.call('SADD', keyOf(':paused'), s.id) end
  if new.broken then redis.call('SADD', keyOf(':broken'), s.id) end
end

local function write(s)
  redis.call('HSET', keyOf(''), s.id,
    s.revision .. ';' .. s.runs .. ';' .. s.made .. '\n' .. s.definition .. '\n' .. s.progress)
end

local function holderOf(name) return name and redis.call('HGET', keyOf(':names'), name) end

local function store(id, definition, progress)
  if redis.call('HEXISTS', keyOf(''), id) == 1 then return { id, 1 } end
  local s = {
    id = id, revision = '1', runs = 0, made = string.format('%.0f', now), definition = definition, progress = progress }
  local holder = holderOf(places(s).name)
  if holder then return { holder, 0 } end
  write(s)
  takePlaces(s)
  wake('plan')
  return { id, 1 }
end

-- Stores the tasks of a change. Returns those that stand for another one, by id.
local function submit(at, count)
  local elsewhere = {}
  if count == 0 then return elsewhere end
  local refused = insert(at, count, messageWidth, true)
  for i = 1, #refused, 2 do
    local id = ARGV[at + refused[i] * messageWidth]
    if refused[i + 1] ~= id then elsewhere[id] = true end
  end
  return elsewhere
end

-- Said again after a lost reply: it was made already, by this very call.
local function wasMade(s, c)
  if c.progress == '' then
    if s then return false end
  else
    local isNext = s and tonumber(s.revision) == tonumber(c.revision) + 1
    if not isNext or s.progress ~= c.progress or (c.definition ~= '' and s.definition ~= c.definition) then return false end
  end
  local ids = {}
  for i = 0, c.tasks - 1 do ids[#ids + 1] = ARGV[c.tasksAt + i * messageWidth] end
  local known = #ids > 0 and knownIds(ids, true) or {}
  for _, id in ipairs(ids) do if not known[id] then return false end end
  return true
end

local function remove(s)
  leavePlaces(s)
  redis.call('ZREM', keyOf(':ids'), s.id)
  redis.call('HDEL', keyOf(''), s.id)
  forgetRuns(s.id)
end

-- d: done · s: stale · t: taken
local function change(c, again)
  local s = read(c.id)
  if not s or s.revision ~= c.revision then return again and wasMade(s, c) and 'd' or 's' end
  if c.definition ~= '' then
    local holder = holderOf(valueOf(cjson.decode(c.definition)[1]))
    if holder and holder ~= c.id then return 't' end
  end
  local elsewhere = submit(c.tasksAt, c.tasks)
  if c.progress == '' then
    remove(s)
  else
    leavePlaces(s)
    s.revision, s.runs, s.progress = string.format('%.0f', tonumber(s.revision) + 1), s.runs + c.runs, c.progress
    if c.definition ~= '' then s.definition = c.definition end
    write(s)
    takePlaces(s)
    addRuns(s.id, c.runsAt, c.runs, elsewhere)
  end
  wake('plan')
  return 'd'
end

local function changeAll(at, again)
  local answers = {}
  while at <= #ARGV do
    local c = {
      id = ARGV[at], revision = ARGV[at + 1], definition = ARGV[at + 2], progress = ARGV[at + 3],
      runs = tonumber(ARGV[at + 4]), tasks = tonumber(ARGV[at + 5]), runsAt = at + 6 }
    c.tasksAt = c.runsAt + 2 * c.runs
    answers[#answers + 1] = change(c, again)
    at = c.tasksAt + c.tasks * messageWidth
  end
  return answers
end

local function addTexts(texts, ids)
  for _, id in ipairs(ids) do
    texts[#texts + 1] = id
    texts[#texts + 1] = redis.call('HGET', keyOf(''), id) or ''
  end
  return texts
end

local function due(limit, clusters)
  local found, nextAt = {}, nil
  for _, cluster in ipairs(clusters) do
    local key = keyOf(':due:' .. cluster)
    local late = redis.call('ZRANGEBYSCORE', key, '-inf', now, 'WITHSCORES', 'LIMIT', 0, limit + 1)
    for i = 1, #late, 2 do found[#found + 1] = { id = late[i], due = tonumber(late[i + 1]) } end
    local next = redis.call('ZRANGEBYSCORE', key, '(' .. string.format('%.0f', now), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
    if next[2] then nextAt = math.min(nextAt or math.huge, tonumber(next[2])) end
  end
  table.sort(found, function(a, b) return a.due < b.due or (a.due == b.due and a.id < b.id) end)
  local ids = {}
  for i = 1, math.min(limit, #found) do ids[i] = found[i].id end
  local wait = #found > limit and 0 or nextAt and nextAt - now or -1
  return addTexts({ now, wait }, ids)
end

if verb == 'insert' then return store(ARGV[3], ARGV[4], ARGV[5]) end
if verb == 'change' then return changeAll(4, ARGV[3] == '1') end
if verb == 'find' then
  local id = redis.call('HEXISTS', keyOf(''), ARGV[3]) == 1 and ARGV[3] or holderOf(ARGV[3])
  return addTexts({}, id and { id } or {})
end
if verb == 'list' then
  local key = ARGV[5] == '' and keyOf(':ids') or keyOf(':by:' .. string.sub(ARGV[5], 2))
  local from = ARGV[4] == '' and '-' or '(' .. ARGV[4]
  return addTexts({}, redis.call('ZRANGEBYLEX', key, from, '+', 'LIMIT', 0, ARGV[3]))
end
if verb == 'due' then return due(tonumber(ARGV[3]), { unpack(ARGV, 4) }) end
local first = redis.call('ZRANGE', keyOf(':due'), 0, 0, 'WITHSCORES')
return {
  redis.call('ZCARD', keyOf(':ids')), redis.call('SCARD', keyOf(':paused')), redis.call('SCARD', keyOf(':broken')),
  first[2] or '' }
