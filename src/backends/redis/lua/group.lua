--@ base
--@ messages
--@ outcomes
--@ removal
-- ARGV: now, what to do, group, then: list: which, limit (-1: all), returns ids and places · count: returns both numbers ·
-- dissolve: 1 to delete the tasks, how many at a time; returns how many.
local succeeded, failed = P .. 'g:s:' .. ARGV[3], P .. 'g:f:' .. ARGV[3]

if ARGV[2] == 'count' then return { redis.call('ZCARD', succeeded), redis.call('ZCARD', failed) } end

if ARGV[2] == 'list' then
  local last = tonumber(ARGV[5])
  if last == 0 then return {} end
  local function newest(key, which)
    if ARGV[4] ~= 'all' and ARGV[4] ~= which then return {} end
    return redis.call('ZREVRANGE', key, 0, last < 0 and -1 or last - 1, 'WITHSCORES')
  end
  return { newest(succeeded, 'succeeded'), newest(failed, 'failed') }
end

-- Takes the label off: out of the value's head, and out of the flags wherever they stand.
local function unlabel(list, id, place, value)
  local body = bodyOfFinished(value)
  local member, dates, rest = string.match(body, '^([^;]*)(;[^;]*;[^;]*;[^;]*;)[^\n]*(\n.*)$')
  local head = headOf(body)
  head[4] = cjson.null
  local before = string.sub(member, 15, 16)
  local flags = string.format('%02x', flagsOf(member) - isInGroup)
  redis.call('SET', P .. 't:' .. id, string.sub(value, 1, #value - #body) .. string.sub(member, 1, 14) .. flags
    .. string.sub(member, 17) .. dates .. cjson.encode(head) .. rest)
  -- Its place among the sorted ones went by the old flags: retention sorts all anew.
  redis.call('HDEL', P .. 'counters', 'per')
  redis.call('ZREM', P .. list, before .. id)
  redis.call('ZADD', P .. list, place, flags .. id)
end

-- Members are tasks, and the records of iterables.
local function dissolve(key, outcome, most)
  local found = redis.call('ZRANGE', key, 0, most - 1, 'WITHSCORES')
  local members = { ['done:t' .. outcome] = {}, ['done:f' .. outcome] = {} }
  for i = 1, #found, 2 do
    local id = found[i]
    local value = redis.call('GET', P .. 't:' .. id)
    if value then
      local body = bodyOfFinished(value)
      local list = 'done:' .. (headOf(body)[5] == 'iter' and 'f' or 't') .. outcome
      if ARGV[4] == '1' then members[list][#members[list] + 1] = string.sub(body, 15, 16) .. id
      else unlabel(list, id, found[i + 1], value) end
    end
    redis.call('ZREM', key, id)
  end
  for list, some in pairs(members) do removeFinished(list, some) end
  return #found / 2
end

local most = tonumber(ARGV[5])
local count = dissolve(succeeded, 's', most)
if count < most then count = count + dissolve(failed, 'f', most - count) end
wake('store')
return count
