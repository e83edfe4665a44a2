-- What every script starts with. KEYS[1] is the project's prefix, such as "{qluster:shop}:"; all keys of a project carry
-- its hash tag and so lie in one slot. KEYS[2] never exists either: with two missing keys a Redis Cluster refuses the
-- script before it has begun (TRYAGAIN) while the slot is on the move, instead of in the middle of it.
local P = KEYS[1]
local now = tonumber(ARGV[1])

-- In milliseconds; there when a broker elsewhere carries the tasks: then ARGV[1] has these numbers behind the time, and
-- behind them, as JSON, the queues whose tasks it carries, unless that is all of them.
local outbox
if not now and ARGV[1] ~= '' then
  local time, ahead, hand, resend, queues = string.match(ARGV[1], '^(%d*);(%d+);(%d+);(%d+);?(.*)$')
  now, outbox = tonumber(time), { ahead = tonumber(ahead), hand = tonumber(hand), resend = tonumber(resend) }
  if queues ~= '' then
    outbox.queues = {}
    for _, name in ipairs(cjson.decode(queues)) do outbox.queues[name] = true end
  end
end

-- The server's own clock, in milliseconds, unless a test brings its own.
local function serverTime()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
if not now then now = serverTime() end

-- `unpack` fails near 8,000 values.
local chunk = 500

-- Calls `command key …values`, in pieces that `unpack` can take. `width` keeps together what belongs together.
local function callWith(command, key, values, width)
  local step = chunk * (width or 1)
  local sum = 0
  for from = 1, #values, step do
    local answer = redis.call(command, key, unpack(values, from, math.min(#values, from + step - 1)))
    if type(answer) == 'number' then sum = sum + answer end
  end
  return sum
end

-- The same for commands that answer with one value for each argument.
local function readWith(command, key, values)
  if #values <= chunk then return redis.call(command, key, unpack(values)) end
  local all = {}
  for from = 1, #values, chunk do
    local some = redis.call(command, key, unpack(values, from, math.min(#values, from + chunk - 1)))
    for i = 1, #some do all[#all + 1] = some[i] end
  end
  return all
end

-- A whole number as text. Lua itself writes all numbers as broken ones, which takes long; many are the same.
local wholeTexts = {}
local function wholeText(number)
  local text = wholeTexts[number]
  if not text then
    text = string.format('%d', number)
    wholeTexts[number] = text
  end
  return text
end

-- Tells the processes that wait for something in this topic: one token each, unless one lies there already.
local woken = {}
local function wake(topic)
  if woken[topic] then return end
  woken[topic] = true
  local waiters = redis.call('ZRANGE', P .. 'w:' .. topic, 0, -1, 'WITHSCORES')
  if #waiters == 0 then return end
  local time = serverTime()
  for i = 1, #waiters, 2 do
    local list = P .. 'wake:' .. string.sub(topic, 1, 1) .. ':' .. waiters[i]
    if tonumber(waiters[i + 1]) <= time then
      redis.call('ZREM', P .. 'w:' .. topic, waiters[i])
    elseif redis.call('LLEN', list) == 0 then
      redis.call('RPUSH', list, 1)
      redis.call('PEXPIRE', list, 60000)
    end
  end
end
