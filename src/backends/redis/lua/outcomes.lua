-- Runs of schedules. `runs:<schedule>` has the newest by number: number;slot;time;manual;why it has no task;task.
-- `outcomes:<schedule>` has an entry for each task of those runs: how it ended, once its own record is gone.
local keptRuns = 1000

-- How a finished task ended, from the beginning of its value.
local function outcomeOf(value) return string.match(value, '^{"to":"(%a+)"') end

-- Keeps how a task of a schedule ended, whose own record goes.
local function keepOutcome(id, schedule, outcome)
  local key = P .. 'outcomes:' .. schedule
  if redis.call('HEXISTS', key, id) == 1 then redis.call('HSET', key, id, outcome) end
end

local function taskOfRun(text)
  local task = string.match(text, '^[^;]*;[^;]*;[^;]*;[^;]*;[^;]*;(.+)$')
  return task
end

-- Adds `count` runs that stand in ARGV from `at` on, each as number and text. A run whose task stands for another one was
-- passed over.
local function addRuns(schedule, at, count, elsewhere)
  if count == 0 then return end
  local runs, newest = P .. 'runs:' .. schedule, 0
  for i = at, at + 2 * count - 2, 2 do
    local number, text = tonumber(ARGV[i]), ARGV[i + 1]
    local task = taskOfRun(text)
    if task and elsewhere[task] then
      text = string.match(text, '^[^;]*;[^;]*;[^;]*;[^;]*;') .. 'skipped;'
    elseif task then
      redis.call('HSETNX', P .. 'outcomes:' .. schedule, task, '')
    end
    redis.call('ZADD', runs, number, text)
    newest = math.max(newest, number)
  end
  for _, text in ipairs(redis.call('ZRANGEBYSCORE', runs, '-inf', newest - keptRuns)) do
    local task = taskOfRun(text)
    if task then redis.call('HDEL', P .. 'outcomes:' .. schedule, task) end
  end
  redis.call('ZREMRANGEBYSCORE', runs, '-inf', newest - keptRuns)
end

local function forgetRuns(schedule) redis.call('UNLINK', P .. 'runs:' .. schedule, P .. 'outcomes:' .. schedule) end
