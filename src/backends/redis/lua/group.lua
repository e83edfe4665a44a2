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
local function unlabel(list, id, place)
  local value = redis.call('GET', P .. 't:' .. id)
  if not value then return end
  local size, from = string.match(value, '^[^\n]*\n[^;]*;(%d+);[^\n]*\n()')
  local bodyAt = from + tonumber(size)
  local body = string.sub(value, bodyAt)
  local member, dates, rest = string.match(body, '^([^;]*)(;[^;]*;[^;]*;[^;]*;)[^\n]*(\n.*)$')
  local head = headOf(body)
  head[4] = cjson.null
  local before = string.sub(member, 15, 16)
  local flags = string.format('%02x', flagsOf(member) - isInGroup)
  redis.call('SET', P .. 't:' .. id, string.sub(value, 1, bodyAt - 1) .. string.sub(member, 1, 14) .. flags
    .. string.sub(member, 17) .. dates .. cjson.encode(head) .. rest)
  -- Its place among the sorted ones went by the old flags: retention sorts all anew.
  redis.call('HDEL', P .. 'counters', 'per')
  redis.call('ZREM', P .. list, before .. id)
  redis.call('ZADD', P .. list, place, flags .. id)
end

local function dissolve(key, outcome, most)
  local list = 'done:t' .. outcome
  local found = redis.call('ZRANGE', key, 0, most - 1, 'WITHSCORES')
  local members = {}
  for i = 1, #found, 2 do
    local id = found[i]
    if ARGV[4] == '1' then
      local value = redis.call('GET', P .. 't:' .. id)
      if value then
        local size, from = string.match(value, '^[^\n]*\n[^;]*;(%d+);[^\n]*\n()')
        members[#members + 1] = string.sub(value, from + tonumber(size) + 14, from + tonumber(size) + 15) .. id
      end
    else
      unlabel(list, id, found[i + 1])
    end
    redis.call('ZREM', key, id)
  end
  removeFinished(list, members)
  return #found / 2
end

local most = tonumber(ARGV[5])
local count = dissolve(succeeded, 's', most)
if count < most then count = count + dissolve(failed, 'f', most - count) end
wake('store')
return count
