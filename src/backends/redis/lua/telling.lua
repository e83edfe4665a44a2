-- Tells flows how members ended, in the script that stores it. What comes next (the tasks of the next step, or the end and
-- the tasks that are called then) is prepared by the caller, as a move from one `rev` of the flow. An outcome that needs a
-- move which is not there is not stored: the caller is told what the flow looks like, and comes again.
-- A move takes nine values of ARGV: flow, rev, step, until, state (empty: open), ending, when it ended, the place whose link
-- the caller wants to know for the next move (or empty), how many tasks. Then the tasks.
local moves = {}

local function readMoves(at, count)
  for _ = 1, count do
    local tasks = tonumber(ARGV[at + 8])
    moves[ARGV[at]] = {
      rev = ARGV[at + 1], step = ARGV[at + 2], wanted = ARGV[at + 3], state = ARGV[at + 4], ending = ARGV[at + 5],
      time = ARGV[at + 6], ahead = ARGV[at + 7], tasks = tasks, tasksAt = at + 9 }
    at = at + 9 + tasks * messageWidth
  end
  return at
end

-- The open flow that is to be told of a member's end, its place and its run. Nothing when the place has its end, or is run
-- anew since its chain was resumed.
local function toTell(id, text)
  local name, place, run = membershipOf(text)
  local flow = name and flowById(name)
  if not flow or flow.state ~= 'open' then return nil end
  if place == '' then place = flow.joining[id] or redis.call('HGET', P .. 'fj:' .. name, id) end
  place = tonumber(place or nil)
  if not place or flow.told[place] or redis.call('HEXISTS', P .. 'fo:' .. name, place) == 1 then return nil end
  if flow.kind == 'chain' and (redis.call('HGET', P .. 'f:' .. name, 'r' .. place) or '0') ~= run then return nil end
  return flow, place, run
end

local function isNext(flow) return flow.wanted and flow.done + 1 >= flow.wanted end

local function lacksMove(flow)
  local move = moves[flow.id]
  return isNext(flow) and not (move and move.rev == flow.rev)
end

-- What the caller has to know to prepare a move: place, run, now, the flow, the links of its next step.
local function needOf(flow, place, run)
  local all = redis.call('HGETALL', P .. 'f:' .. flow.id)
  local row, links = {}, {}
  for i = 1, #all, 2 do row[all[i]] = all[i + 1] end
  local width = flow.kind == 'chain' and cjson.decode(row.steps)[tonumber(row.step) + 2] or 0
  for at = flow.wanted or 0, (flow.wanted or 0) + width - 1 do links[#links + 1] = redis.call('HGET', P .. 'fm:' .. flow.id, at) end
  return { flow.id, place, run, now, all, links }
end

-- Keeps an outcome, for `storeFlows` to write.
local function tell(flow, place, run, ok, ending, result)
  flow.isChanged, flow.told[place] = true, true
  if isNext(flow) then flow.move = moves[flow.id] end
  flow.done = flow.done + 1
  if not ok then
    flow.failed = flow.failed + 1
    flow.failedAt = math.min(flow.failedAt or place, place)
  end
  local text = ok and 's' .. (flow.kind == 'batch' and '' or result) or 'f' .. ending
  flow.outcomes[#flow.outcomes + 1] = place
  flow.outcomes[#flow.outcomes + 1] = run .. ';' .. text
end

-- The record of an ended flow, among the finished tasks. It is counted nowhere.
local function storeRecord(id, move, ok)
  local rest, flagText, kind, openedAt = unpack(redis.call('HMGET', P .. 'f:' .. id, 'rest', 'flags', 'kind', 'openedAt'))
  if redis.call('EXISTS', P .. 't:' .. id) == 1 then return end
  local flags, place = string.format('%02x', flagText), nextEnd()
  local body = string.rep('0', 14) .. flags .. '000000' .. id .. ';' .. openedAt .. ';' .. openedAt .. ';;' .. rest
  ended.values[#ended.values + 1] = P .. 't:' .. id
  ended.values[#ended.values + 1] = move.ending .. endStamp .. '0;0;0;0;;' .. openedAt .. ';' .. move.time .. ';\n' .. body
  push(ended.lists, 'done:f' .. (ok and 's' or 'f'), place, flags .. id)
  local head = headOf(body)
  if kind == 'iter' and head[4] ~= cjson.null then push(ended.lists, 'g:' .. (ok and 's' or 'f') .. ':' .. head[4], place, id) end
  if head[3] ~= cjson.null then redis.call('ZADD', P .. 'nm:' .. head[3], openedAt, id) end
end

-- The caller stores what has ended afterwards (`storeEnded`).
local function applyMove(id, move)
  local key = P .. 'f:' .. id
  redis.call('HSET', key, 'step', move.step, 'until', move.wanted)
  redis.call('HINCRBY', key, 'rev', 1)
  if move.state ~= '' then
    redis.call('HSET', key, 'state', move.state, 'ending', move.ending, 'endedAt', move.time)
    redis.call('ZREM', P .. 'flows:expiry', id)
    storeRecord(id, move, move.state == 'succeeded')
  end
  if move.tasks > 0 then insert(move.tasksAt, move.tasks, messageWidth, true, nil, true) end
end

-- The links that callers want to know who have moved flows, each after its flow.
local aheads = {}

local function lookAhead(id, place)
  local key = P .. 'fm:' .. id
  if place == '' or redis.call('HSTRLEN', key, place) > 8192 then return end
  aheads[#aheads + 1] = { id, redis.call('HGET', key, place) }
end

local function storeFlows()
  for id, flow in pairs(flows) do
    if flow and flow.isChanged then
      callWith('HSET', P .. 'fo:' .. id, flow.outcomes, 2)
      redis.call('HSET', P .. 'f:' .. id, 'done', flow.done, 'failed', flow.failed, 'failedAt', flow.failedAt or '')
      if flow.move then
        applyMove(id, flow.move)
        lookAhead(id, flow.move.ahead)
      end
    end
  end
end
