-- Removes finished tasks. `list` is where they stand, such as "done:ts", and `members` their flags and ids.
local function bodyOfFinished(value)
  local size, from = string.match(value, '^[^\n]*\n[^;]*;(%d+);[^\n]*\n()')
  return string.sub(value, from + tonumber(size))
end

local function finishedHead(value) return headOf(bodyOfFinished(value)) end

-- A flow goes with its record.
local function removeFlows(ids)
  for _, id in ipairs(ids) do
    redis.call('UNLINK', P .. 'f:' .. id, P .. 'fo:' .. id, P .. 'fm:' .. id, P .. 'fj:' .. id)
  end
end

-- The value by which the successes of this project are counted apart, as text.
local function partOf(per, head)
  local value = head[per == 'func' and 2 or per == 'name' and 3 or 4]
  return value == cjson.null and '-' or '=' .. value
end

local function removeFinished(list, members)
  if #members == 0 then return 0 end
  local keys, ids = {}, {}
  local per = string.sub(list, 7, 7) == 's' and redis.call('HGET', P .. 'counters', 'per')
  for i = 1, #members do
    local flags, id = tonumber(string.sub(members[i], 1, 2), 16), string.sub(members[i], 3)
    ids[i] = id
    keys[i] = P .. 't:' .. id
    if per or hasFlag(flags, isNamed) or hasFlag(flags, isInGroup) or hasFlag(flags, isScheduled) then
      local value = redis.call('GET', keys[i])
      if value then
        local head = finishedHead(value)
        if head[3] ~= cjson.null then redis.call('ZREM', P .. 'nm:' .. head[3], id) end
        if head[4] ~= cjson.null then redis.call('ZREM', P .. 'g:' .. string.sub(list, 7, 7) .. ':' .. head[4], id) end
        if hasFlag(flags, isScheduled) then keepOutcome(id, head[6], outcomeOf(value)) end
        if per then
          local part = string.sub(list, 6, 6) .. partOf(per, head)
          if redis.call('ZREM', P .. 'part:' .. part, members[i]) == 1 then
            redis.call('ZINCRBY', P .. 'parts', -1, part)
            redis.call('ZREMRANGEBYSCORE', P .. 'parts', '-inf', 0)
          end
        end
      end
    end
  end
  callWith('ZREM', P .. list, members)
  redis.call('UNLINK', unpack(keys))
  forgetDetails(ids)
  if string.sub(list, 6, 6) == 'f' then removeFlows(ids) end
  wake('store')
  return #members
end
