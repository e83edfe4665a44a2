import { anew } from "./anew.js";
import { functions } from "./0001-functions.js";
import { flowMoves } from "./0007-flow-moves.js";

const known = "v_known := ARRAY(SELECT t.id FROM {task} t WHERE t.project = p_project AND t.id = ANY (v_new));";
const knownById = `v_known := ARRAY(SELECT n.id FROM unnest(v_new) AS n (id)
      CROSS JOIN LATERAL (SELECT FROM {task} t WHERE t.project = p_project AND t.id = n.id LIMIT 1) AS k);`;

/**
 * What finds messages and tasks by lists of their numbers or ids, as functions: each with a plan that does not depend on how long
 * the tables were when it was made.
 */
export const steadyPlans: string = `
-- The planner knows of a queue what it was a while ago, and keeps a plan for as long: one that was made for an empty table
-- reads all of a full one, once for each row that ends. So in these functions a row has one way to be found, its key: what
-- reads whole tables is off, and = ANY (ARRAY[...]) is a condition that only an index can serve.
-- The fence, beside the number: project and owner, written so that no index on these columns serves it.

-- Moves messages that the owner holds to the finished tasks. which: any · plain: no members of flows, as nobody would tell
-- their flows · inside: the same in a transaction of the application, which may stay open for long, and so counts in a row that
-- nobody else waits for. The delete is the fence: what it does not return is not the owner's any more. The first ending stays,
-- should a task be here twice.
CREATE FUNCTION {end_messages}(
  p_project integer, p_now bigint, p_owner bigint, p_which text, p_seqs bigint[], p_states text[], p_started integer[],
  p_counted integer[], p_endings text[], p_started_ats bigint[], p_stopped_ats bigint[], p_workers text[],
  p_attempt_errors text[], p_errors text[], p_results text[]
) RETURNS TABLE (seqs text, members text) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH gone AS (
    DELETE FROM {message} m
    USING unnest((SELECT p_seqs), (SELECT p_states), (SELECT p_started), (SELECT p_counted), (SELECT p_endings),
      (SELECT p_started_ats), (SELECT p_stopped_ats), (SELECT p_workers), (SELECT p_attempt_errors), (SELECT p_errors),
      (SELECT p_results)) WITH ORDINALITY
      AS f (seq, state, started, counted, ending, started_at, stopped_at, worker, attempt_error, error, result, place)
    WHERE m.seq = ANY (ARRAY[f.seq]) AND m.project + 0 = p_project AND coalesce(m.owner, 0) = p_owner
      AND (p_which = 'any' OR m.member IS NULL)
    RETURNING f.place, f.state, f.started, f.counted, f.ending, f.attempt_error, f.error, f.result, m.seq, m.id, m.queue,
      m.rank, m.attempts, m.starts, m.queued_at, m.due_at, m.func, m.name, m.grp, m.kind, m.parent, m.member, m.envelope,
      coalesce(f.started_at, m.started_at) AS started_at, coalesce(f.stopped_at, m.stopped_at) AS stopped_at,
      coalesce(f.worker, m.worker) AS worker, f.stopped_at - f.started_at AS ran_ms),
  stored AS (
    INSERT INTO {task} (project, id, state, finished_at, queue, priority, attempts, starts, queued_at, due_at, func, name,
      grp, kind, parent, ending, counted, started_at, stopped_at, worker, attempt_error, error, result, member, envelope)
    SELECT p_project, id, state, p_now, queue, -rank, attempts + counted, starts + started, queued_at, due_at, func, name,
      grp, kind, parent, ending, counted, started_at, coalesce(stopped_at, p_now), worker, attempt_error, error, result,
      member, envelope
    FROM gone ORDER BY place ON CONFLICT DO NOTHING),
  counted AS (
    INSERT INTO {rollup} AS r (project, minute, queue, part, succeeded, failed, busy_ms)
    SELECT p_project, p_now / 60000 * 60000, queue, {part_of}(p_owner, p_which), count(*) FILTER (WHERE state = 'succeeded'),
      count(*) FILTER (WHERE state <> 'succeeded'), sum(greatest(0, coalesce(ran_ms, 0)))
    FROM gone WHERE kind = 'task' GROUP BY queue
    ON CONFLICT (project, minute, queue, part) DO UPDATE SET succeeded = r.succeeded + excluded.succeeded,
      failed = r.failed + excluded.failed, busy_ms = r.busy_ms + excluded.busy_ms)
  SELECT string_agg(seq::text, ','),
    json_agg(json_build_array(seq, member)) FILTER (WHERE member IS NOT NULL)::text FROM gone;
  PERFORM {tell}(p_project, 2);
END $$;

-- Which of a rollup's rows is added to. Nobody's is the first, and no consumer's: who ends waiting members of a flow adds to it
-- after it has locked the flow, a consumer before.
CREATE FUNCTION {part_of}(p_owner bigint, p_which text) RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT (CASE WHEN p_which = 'inside' THEN 16 + pg_backend_pid() % 1000 WHEN p_owner = 0 THEN 0 ELSE 1 + p_owner % 15 END)::integer
$$;

-- The same for successes that leave no record: all that belongs to their tasks goes too.
CREATE FUNCTION {remove_messages}(
  p_project integer, p_now bigint, p_owner bigint, p_which text, p_seqs bigint[], p_ran_ms bigint[]
) RETURNS TABLE (seqs text, members text) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY WITH gone AS (
    DELETE FROM {message} m USING unnest((SELECT p_seqs), (SELECT p_ran_ms)) AS f (seq, ran_ms)
    WHERE m.seq = ANY (ARRAY[f.seq]) AND m.project + 0 = p_project AND coalesce(m.owner, 0) = p_owner
      AND (p_which = 'any' OR m.member IS NULL)
    RETURNING m.seq, m.id, m.queue, m.kind, m.parent, m.member, f.ran_ms),
  outcomes AS (
    UPDATE {schedule_run} r SET state = 'succeeded' FROM gone
    WHERE gone.kind <> 'hook' AND gone.parent IS NOT NULL AND r.project = p_project AND r.task = gone.id),
  attempts AS (DELETE FROM {attempt} a USING gone WHERE a.project = p_project AND a.id = gone.id),
  progress AS (DELETE FROM {progress} p USING gone WHERE p.project = p_project AND p.id = gone.id),
  lines AS (DELETE FROM {log} l USING gone WHERE l.project = p_project AND l.id = gone.id),
  counted AS (
    INSERT INTO {rollup} AS r (project, minute, queue, part, succeeded, failed, busy_ms)
    SELECT p_project, p_now / 60000 * 60000, queue, {part_of}(p_owner, p_which), count(*), 0, sum(greatest(0, ran_ms))
    FROM gone WHERE kind = 'task' GROUP BY queue
    ON CONFLICT (project, minute, queue, part) DO UPDATE SET succeeded = r.succeeded + excluded.succeeded,
      busy_ms = r.busy_ms + excluded.busy_ms)
  SELECT string_agg(seq::text, ','),
    json_agg(json_build_array(seq, member)) FILTER (WHERE member IS NOT NULL)::text FROM gone;
  PERFORM {tell}(p_project, 2);
END $$;

-- What end_messages writes for plain messages that ended as nearly all do, with less to send: times from p_start on, and each
-- worker's name once. A task that is finished already is an error here, as passing over it costs each row a fourth of the time.
CREATE FUNCTION {end_successes}(
  p_project integer, p_now bigint, p_owner bigint, p_seqs bigint[], p_started bigint[], p_stopped bigint[],
  p_worker integer[], p_results text[], p_start bigint, p_workers text[]
) RETURNS text LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
  v_seqs text;
BEGIN
  WITH gone AS (
    DELETE FROM {message} m
    USING unnest((SELECT p_seqs), (SELECT p_started), (SELECT p_stopped), (SELECT p_worker), (SELECT p_results))
      WITH ORDINALITY AS f (seq, started, stopped, worker, result, place)
    WHERE m.seq = ANY (ARRAY[f.seq]) AND m.project + 0 = p_project AND coalesce(m.owner, 0) = p_owner AND m.member IS NULL
    RETURNING f.place, p_start + f.started AS started_at, p_start + f.stopped AS stopped_at,
      p_workers[f.worker] AS worker, f.result, m.seq, m.id, m.queue, m.rank, m.attempts, m.starts, m.queued_at, m.due_at,
      m.func, m.name, m.grp, m.kind, m.parent, m.envelope),
  stored AS (
    INSERT INTO {task} (project, id, state, finished_at, queue, priority, attempts, starts, queued_at, due_at, func, name,
      grp, kind, parent, ending, counted, started_at, stopped_at, worker, result, envelope)
    SELECT p_project, id, 'succeeded', p_now, queue, -rank, attempts + 1, starts + 1, queued_at, due_at, func, name,
      grp, kind, parent, 'succeeded', 1, started_at, stopped_at, worker, result, envelope
    FROM gone ORDER BY place),
  counted AS (
    INSERT INTO {rollup} AS r (project, minute, queue, part, succeeded, failed, busy_ms)
    SELECT p_project, p_now / 60000 * 60000, queue, {part_of}(p_owner, 'plain'), count(*), 0,
      sum(greatest(0, stopped_at - started_at))
    FROM gone WHERE kind = 'task' GROUP BY queue
    ON CONFLICT (project, minute, queue, part) DO UPDATE SET succeeded = r.succeeded + excluded.succeeded,
      busy_ms = r.busy_ms + excluded.busy_ms)
  SELECT string_agg(seq::text, ',') INTO v_seqs FROM gone;
  PERFORM {tell}(p_project, 2);
  RETURN v_seqs;
END $$;

-- Removes messages for good, without a record.
CREATE FUNCTION {acknowledge}(p_project integer, p_owner bigint, p_seqs bigint[])
RETURNS SETOF bigint LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  RETURN QUERY WITH gone AS (
    DELETE FROM {message} m USING unnest((SELECT p_seqs)) AS f (seq)
    WHERE m.seq = ANY (ARRAY[f.seq]) AND m.project + 0 = p_project AND coalesce(m.owner, 0) = p_owner
    RETURNING m.seq, m.id),
  attempts AS (DELETE FROM {attempt} a USING gone WHERE a.project = p_project AND a.id = gone.id),
  progress AS (DELETE FROM {progress} p USING gone WHERE p.project = p_project AND p.id = gone.id),
  lines AS (DELETE FROM {log} l USING gone WHERE l.project = p_project AND l.id = gone.id)
  SELECT gone.seq FROM gone;
END $$;

-- Gives messages back, unstarted. Without a delay a message keeps its due time, and with it its old place.
CREATE FUNCTION {release}(p_project integer, p_now bigint, p_owner bigint, p_seqs bigint[], p_delay bigint, p_step integer,
  p_resend bigint, p_ahead bigint) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  UPDATE {message} m SET owner = CASE WHEN p_delay > 0 THEN 0 END,
    due_at = CASE WHEN p_delay > 0 THEN p_now + p_delay ELSE m.due_at END,
    deliveries = greatest(0, m.deliveries + p_step),
    send_at = CASE WHEN p_resend IS NULL THEN m.send_at ELSE {resend_at}(
      p_now, CASE WHEN p_delay > 0 THEN p_now + p_delay ELSE m.due_at END, p_resend, p_ahead) END
  FROM unnest((SELECT p_seqs)) AS f (seq)
  WHERE m.seq = ANY (ARRAY[f.seq]) AND m.project + 0 = p_project AND coalesce(m.owner, 0) = p_owner;
  IF FOUND THEN
    PERFORM {tell}(p_project, 1);
  END IF;
END $$;

-- Puts messages back into the queue, with the attempts that ended on record. step: added to the deliveries, NULL to start anew.
-- is_retry: the place in line starts anew.
CREATE FUNCTION {put_back}(
  p_project integer, p_now bigint, p_owner bigint, p_seqs bigint[], p_delays bigint[], p_are_retries integer[],
  p_steps integer[], p_counted integer[], p_endings text[], p_started_ats bigint[], p_stopped_ats bigint[],
  p_workers text[], p_errors text[], p_resend bigint, p_ahead bigint
) RETURNS text LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
  v_seqs text;
BEGIN
  WITH back AS (
    UPDATE {message} m SET owner = CASE WHEN f.delay > 0 THEN 0 END, due_at = CASE WHEN f.is_retry = 1 OR f.delay > 0 THEN p_now + f.delay ELSE m.due_at END,
      send_at = CASE WHEN p_resend IS NULL THEN m.send_at ELSE {resend_at}(
        p_now, CASE WHEN f.is_retry = 1 OR f.delay > 0 THEN p_now + f.delay ELSE m.due_at END, p_resend, p_ahead) END,
      deliveries = CASE WHEN f.step IS NULL THEN 0 ELSE greatest(0, m.deliveries + f.step) END,
      starts = m.starts + CASE WHEN f.ending IS NULL THEN 0 ELSE 1 END,
      attempts = m.attempts + f.counted,
      started_at = coalesce(f.started_at, m.started_at),
      stopped_at = coalesce(f.stopped_at, m.stopped_at),
      worker = coalesce(f.worker, m.worker)
    FROM unnest((SELECT p_seqs), (SELECT p_delays), (SELECT p_are_retries), (SELECT p_steps), (SELECT p_counted),
      (SELECT p_endings), (SELECT p_started_ats), (SELECT p_stopped_ats), (SELECT p_workers), (SELECT p_errors))
      AS f (seq, delay, is_retry, step, counted, ending, started_at, stopped_at, worker, error)
    WHERE m.seq = ANY (ARRAY[f.seq]) AND m.project + 0 = p_project AND coalesce(m.owner, 0) = p_owner
    RETURNING m.seq, m.id, m.starts, f.ending, f.counted, f.started_at, f.stopped_at, f.worker, f.error),
  recorded AS (
    INSERT INTO {attempt} (project, id, number, ending, counted, started_at, stopped_at, worker, error)
    SELECT p_project, id, starts, ending, counted, started_at, stopped_at, worker, error FROM back WHERE ending IS NOT NULL
    ON CONFLICT DO NOTHING)
  SELECT string_agg(seq::text, ',') INTO v_seqs FROM back;
  PERFORM {tell}(p_project, 1);
  RETURN v_seqs;
END $$;

${anew(functions, "submit", [[known, knownById]])}

${anew(flowMoves, "lacking_moves", [["ON m.seq = w.seq", "ON m.seq = ANY (ARRAY[w.seq])"]])}

${anew(flowMoves, "finish_members", [
  ["WHERE m.seq = f.seq AND", "WHERE m.seq = ANY (ARRAY[f.seq]) AND"],
  ["WHERE f.seq = c.flow AND", "WHERE f.seq = ANY (ARRAY[c.flow]) AND"],
])}
`;
