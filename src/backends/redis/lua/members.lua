-- Flows: tasks that belong together. `f:<flow>` has what each is and where it stands:
--   kind, rest and flags (as of a message), steps, stops, queued, carryBytes, openedAt, expiresAt · state, step, run, done,
--   failed, failedAt, ending, endedAt · until: how many outcomes make what comes next; empty while nobody knows · places: how
--   many there are, as far as known · joined: of a batch · rev: changes with all but done and failed · r<place>: the run of
--   a link that was resumed.
-- `fo:<flow>` has the outcomes by place: run;s<result> of a success, run;f<ending> of anything else. `fm:<flow>` has the
-- links of a chain by place, `fj:<flow>` the places of a batch by id.
local flows = {}

-- Read once in a call; `false`: there is none.
local function flowById(id)
  local flow = flows[id]
  if flow ~= nil then return flow end
  local state, kind, untilText, done, failed, failedAt, rev = unpack(redis.call('HMGET', P .. 'f:' .. id,
    'state', 'kind', 'until', 'done', 'failed', 'failedAt', 'rev'))
  flow = state and {
    id = id, state = state, kind = kind, wanted = tonumber(untilText), done = tonumber(done), failed = tonumber(failed),
    failedAt = tonumber(failedAt), rev = rev, told = {}, outcomes = {}, joining = {} }
  flows[id] = flow
  return flow
end

-- The members among the messages in ARGV, by flow, in the order in which the flows come.
local function membersByFlow(at, count, stride)
  local lists, order = {}, {}
  for i = 0, count - 1 do
    local from = at + i * stride
    if hasFlag(tonumber(ARGV[from + 2]), isMember) then
      local flow, place = membershipOf(ARGV[from + 7])
      if not lists[flow] then
        lists[flow] = {}
        order[#order + 1] = flow
      end
      push(lists[flow], 'all', ARGV[from], tonumber(place) or '')
    end
  end
  return lists, order
end

-- Those of a flow that it does not know yet, and puts the others among `passed`. A place that never was cannot have its end.
local function freshOf(flow, all, passed)
  local fresh, seen, places = {}, {}, 0
  if flow.kind ~= 'batch' then places = tonumber(redis.call('HGET', P .. 'f:' .. flow.id, 'places')) end
  for i = 1, #all, 2 do
    local id, place = all[i], all[i + 1]
    local known
    if flow.kind == 'batch' then known = seen[id] or redis.call('HEXISTS', P .. 'fj:' .. flow.id, id) == 1
    else known = place < places and redis.call('HEXISTS', P .. 'fo:' .. flow.id, place) == 1 end
    if not known then push(fresh, 'all', id, place)
    elseif not seen[id] then passed[id] = true end
    seen[id] = true
  end
  return fresh.all or {}
end

-- Gives the members of a batch their places. Nothing: it has too few.
local function join(flow, fresh)
  local joined = tonumber(redis.call('HGET', P .. 'f:' .. flow.id, 'joined'))
  if joined + #fresh / 2 > flow.wanted then return nil end
  for i = 1, #fresh, 2 do
    fresh[i + 1] = joined + (i - 1) / 2
    flow.joining[fresh[i]] = fresh[i + 1]
  end
  return joined + #fresh / 2
end

-- Lets members in. Returns ids that are not to be queued, as their flows have them already, and what is to be written; or
-- nothing, and why: the flow, its hash, how many were to join.
local function admit(at, count, stride)
  local lists, order = membersByFlow(at, count, stride)
  local passed, writes = {}, {}
  for _, id in ipairs(order) do
    local flow = flowById(id)
    if not flow then return nil, { '!', id, {}, 0 } end
    local fresh = freshOf(flow, lists[id].all, passed)
    if #fresh > 0 then
      local joined = flow.state == 'open' and (flow.kind ~= 'batch' or join(flow, fresh))
      if not joined then return nil, { '!', id, redis.call('HGETALL', P .. 'f:' .. id), #fresh / 2 } end
      writes[#writes + 1] = { flow = flow, fresh = fresh, joined = joined }
    end
  end
  return passed, writes
end

local function storeJoins(writes)
  for _, write in ipairs(writes) do
    local key = P .. 'f:' .. write.flow.id
    if write.flow.kind == 'batch' then
      callWith('HSET', P .. 'fj:' .. write.flow.id, write.fresh, 2)
      redis.call('HSET', key, 'joined', write.joined)
    else
      local places = tonumber(redis.call('HGET', key, 'places'))
      for i = 2, #write.fresh, 2 do places = math.max(places, write.fresh[i] + 1) end
      redis.call('HSET', key, 'places', places)
    end
  end
end
