--@ base
--@ messages
--@ outcomes
-- What became of the slots of a schedule, newest first. ARGV: now, schedule, limit, only numbers below this. Returns now,
-- then four for each: the run, and about its task: s (stands so) and how · w (waits) or h (is held), body without its
-- envelope, changes · nothing when nobody can tell.
local outcomes = P .. 'outcomes:' .. ARGV[2]

local function stateOf(task)
  local ending = redis.call('GETRANGE', P .. 't:' .. task, 0, 31)
  if ending ~= '' then return { 's', outcomeOf(ending), '' } end
  local body = redis.call('HGET', P .. 'm', task)
  if body then
    local place = isWaiting(memberOf(body)) and 'w' or 'h'
    return { place, string.match(body, '^[^\n]*\n'), redis.call('HGET', P .. 'x', task) or '' }
  end
  -- The task has opened a flow with its own id.
  if redis.call('HGET', P .. 'f:' .. task, 'state') == 'open' then return { 's', 'running', '' } end
  local kept = redis.call('HGET', outcomes, task)
  if kept and kept ~= '' then return { 's', kept, '' } end
  return { '', '', '' }
end

local answer = { now }
for _, text in ipairs(redis.call('ZREVRANGEBYSCORE', P .. 'runs:' .. ARGV[2], ARGV[4], '-inf', 'LIMIT', 0, ARGV[3])) do
  local task = taskOfRun(text)
  local state = task and stateOf(task) or { '', '', '' }
  for _, value in ipairs({ text, state[1], state[2], state[3] }) do answer[#answer + 1] = value end
end
return answer
