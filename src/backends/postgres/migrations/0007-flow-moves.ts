/** Members of flows end in one round trip. */
export const flowMoves = `
-- How many members a flow has up to the end of a step. NULL while nobody knows.
CREATE FUNCTION {members_until}(p_steps text, p_step integer) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN (
    SELECT sum(s.width) FROM unnest((string_to_array(btrim(p_steps, '[]'), ',')::integer[])[1:p_step + 1]) AS s (width));
END $$;

-- Which of these messages would make something follow in their flows that no given move is for: the flows, the messages
-- that are still to be counted there, and the tasks of the next step. NULL: none.
CREATE FUNCTION {lacking_moves}(p_project integer, p_owner bigint, p_seqs bigint[], p_moves json)
RETURNS text LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  RETURN (WITH ours AS MATERIALIZED (
    SELECT m.seq, split_part(m.member, '.', 1) AS flow, split_part(m.member, '.', 2)::integer AS place,
      split_part(m.member, '.', 3)::integer AS run
    FROM unnest((SELECT p_seqs)) AS w (seq) JOIN {message} m ON m.seq = w.seq
    WHERE m.project + 0 = p_project AND m.owner + 0 = p_owner AND m.member IS NOT NULL),
  near AS (
    SELECT f.*, c.ended FROM (SELECT flow, count(*) AS ended FROM ours GROUP BY flow) AS c
      JOIN {flow} f ON f.project = p_project AND f.id = c.flow
    WHERE f.state = 'open' AND f.done + c.ended >= {members_until}(f.steps, f.step)
      AND NOT EXISTS (
        SELECT FROM json_to_recordset(p_moves) AS v (flow bigint, run integer, since integer, done integer)
        WHERE v.flow = f.seq AND v.run = f.run AND v.since = f.step AND v.done = f.done + c.ended))
  SELECT json_agg(json_build_object(
    'flow', row_to_json(n),
    'fresh', (
      SELECT json_agg(json_build_array(o.seq, o.place, o.run))
      FROM ours o LEFT JOIN {flow_member} m ON m.flow = n.seq AND m.place = o.place
      WHERE o.flow = n.id AND (m.flow IS NULL OR (m.state IS NULL AND m.run = o.run))),
    'tasks', (
      SELECT json_agg(m.task ORDER BY m.place) FROM {flow_member} m
      WHERE m.flow = n.seq AND m.place >= {members_until}(n.steps, n.step)
        AND m.place < {members_until}(n.steps, n.step + 1) AND m.task IS NOT NULL)))::text FROM near n);
END $$;

-- Ends messages that the owner holds, tells the flows of those that are members, and carries out the moves that follow, as
-- they were prepared: all in one. What is needed and not given comes back in "lacking", and then nothing was stored. A move
-- holds only where its flow stands as it was prepared for. ahead: the tasks after those that the moves have queued.
CREATE FUNCTION {finish_members}(
  p_project integer, p_now bigint, p_owner bigint, p_seqs bigint[], p_keeps boolean[], p_states text[], p_started integer[],
  p_counted integer[], p_endings text[], p_started_ats bigint[], p_stopped_ats bigint[], p_workers text[],
  p_attempt_errors text[], p_errors text[], p_results text[], p_moves json, p_task_flows bigint[], p_ids text[],
  p_queues text[], p_ranks integer[], p_delays bigint[], p_dues bigint[], p_lives bigint[], p_funcs text[], p_names text[],
  p_groups text[], p_kinds text[], p_parents text[], p_envelopes text[], p_members text[], p_hand bigint, p_ahead bigint
) RETURNS TABLE (seqs text, lacking text, ahead text) LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
  v_flows text[];
  v_places integer[];
  v_runs integer[];
  v_states text[];
  v_results text[];
  v_errors text[];
  v_told bigint[];
  v_fresh bigint[];
  v_untils bigint[];
  v_failed bigint[];
  v_failed_at integer[];
  v_kept bigint;
  v_moved bigint[];
BEGIN
  lacking := {lacking_moves}(p_project, p_owner, p_seqs, p_moves);
  IF lacking IS NOT NULL THEN
    RETURN NEXT;
    RETURN;
  END IF;
  WITH gone AS (
    DELETE FROM {message} m
    USING unnest((SELECT p_seqs), (SELECT p_keeps), (SELECT p_states), (SELECT p_started), (SELECT p_counted),
      (SELECT p_endings), (SELECT p_started_ats), (SELECT p_stopped_ats), (SELECT p_workers), (SELECT p_attempt_errors),
      (SELECT p_errors), (SELECT p_results)) WITH ORDINALITY
      AS f (seq, keep, state, started, counted, ending, started_at, stopped_at, worker, attempt_error, error, result, nth)
    WHERE m.seq = f.seq AND m.project + 0 = p_project AND m.owner + 0 = p_owner
    RETURNING f.nth, f.keep, f.state, f.started, f.counted, f.ending, f.attempt_error, f.error, f.result, m.seq, m.id,
      m.queue, m.rank, m.attempts, m.starts, m.queued_at, m.due_at, m.func, m.name, m.grp, m.kind, m.parent, m.member,
      CASE WHEN f.keep THEN m.envelope END AS envelope, coalesce(f.started_at, m.started_at) AS started_at,
      coalesce(f.stopped_at, m.stopped_at) AS stopped_at, coalesce(f.worker, m.worker) AS worker,
      f.stopped_at - f.started_at AS ran_ms),
  stored AS (
    INSERT INTO {task} (project, id, state, finished_at, queue, priority, attempts, starts, queued_at, due_at, func, name,
      grp, kind, parent, ending, counted, started_at, stopped_at, worker, attempt_error, error, result, member, envelope)
    SELECT p_project, id, state, p_now, queue, -rank, attempts + counted, starts + started, queued_at, due_at, func, name,
      grp, kind, parent, ending, counted, started_at, coalesce(stopped_at, p_now), worker, attempt_error, error, result,
      member, envelope
    FROM gone WHERE keep ORDER BY nth ON CONFLICT DO NOTHING),
  outcomes AS (
    UPDATE {schedule_run} r SET state = gone.state FROM gone
    WHERE NOT gone.keep AND gone.kind <> 'hook' AND gone.parent IS NOT NULL AND r.project = p_project AND r.task = gone.id),
  attempts AS (
    DELETE FROM {attempt} a USING gone WHERE NOT gone.keep AND a.project = p_project AND a.id = gone.id),
  progress AS (
    DELETE FROM {progress} p USING gone WHERE NOT gone.keep AND p.project = p_project AND p.id = gone.id),
  lines AS (
    DELETE FROM {log} l USING gone WHERE NOT gone.keep AND l.project = p_project AND l.id = gone.id),
  counted AS (
    INSERT INTO {rollup} AS r (project, minute, queue, part, succeeded, failed, busy_ms)
    SELECT p_project, p_now / 60000 * 60000, queue, 1 + p_owner % 15, count(*) FILTER (WHERE state = 'succeeded'),
      count(*) FILTER (WHERE state <> 'succeeded'), sum(greatest(0, coalesce(ran_ms, 0)))
    FROM gone WHERE kind = 'task' GROUP BY queue
    ON CONFLICT (project, minute, queue, part) DO UPDATE SET succeeded = r.succeeded + excluded.succeeded,
      failed = r.failed + excluded.failed, busy_ms = r.busy_ms + excluded.busy_ms)
  SELECT string_agg(seq::text, ','),
    array_agg(split_part(member, '.', 1)) FILTER (WHERE member IS NOT NULL),
    array_agg(split_part(member, '.', 2)::integer) FILTER (WHERE member IS NOT NULL),
    array_agg(split_part(member, '.', 3)::integer) FILTER (WHERE member IS NOT NULL),
    array_agg(state) FILTER (WHERE member IS NOT NULL), array_agg(result) FILTER (WHERE member IS NOT NULL),
    array_agg(error) FILTER (WHERE member IS NOT NULL)
  INTO seqs, v_flows, v_places, v_runs, v_states, v_results, v_errors FROM gone;
  PERFORM {tell}(p_project, 2);
  IF v_flows IS NULL THEN
    RETURN NEXT;
    RETURN;
  END IF;
  -- Each place once, by its newest run. Outcomes are kept where there are none yet.
  WITH told AS (
    SELECT DISTINCT ON (t.flow, t.place) *
    FROM unnest(v_flows, v_places, v_runs, v_states, v_results, v_errors) AS t (flow, place, run, state, result, error)
    ORDER BY t.flow, t.place, t.run DESC),
  locked AS MATERIALIZED (
    SELECT f.seq, f.id, f.kind, f.steps, f.step FROM {flow} f
    WHERE f.project = p_project AND f.id = ANY (v_flows) AND f.state = 'open' ORDER BY f.id FOR NO KEY UPDATE),
  kept AS (
    INSERT INTO {flow_member} AS m (flow, place, run, state, result, error)
    SELECT l.seq, t.place, t.run, t.state, CASE WHEN l.kind <> 'batch' THEN t.result END, t.error
    FROM locked l JOIN told t ON t.flow = l.id ORDER BY l.seq, t.place
    ON CONFLICT (flow, place) DO UPDATE SET state = excluded.state, result = excluded.result, error = excluded.error
    WHERE m.state IS NULL AND m.run = excluded.run
    RETURNING flow, place, state),
  sums AS (
    SELECT flow, count(*) AS fresh, count(*) FILTER (WHERE state <> 'succeeded') AS failed,
      min(place) FILTER (WHERE state <> 'succeeded') AS failed_at FROM kept GROUP BY flow)
  SELECT array_agg(s.flow), array_agg(s.fresh), array_agg(s.failed), array_agg(s.failed_at),
    array_agg({members_until}(l.steps, l.step)), count(*)
  INTO v_told, v_fresh, v_failed, v_failed_at, v_untils, v_kept FROM sums s JOIN locked l ON l.seq = s.flow;
  WITH moved AS (
    UPDATE {flow} f SET done = f.done + c.fresh, failed = f.failed + c.failed, failed_at = least(f.failed_at, c.failed_at),
      step = CASE WHEN f.done + c.fresh >= c.until THEN v.step ELSE f.step END
    FROM unnest(v_told, v_fresh, v_failed, v_failed_at, v_untils) AS c (flow, fresh, failed, failed_at, until)
      LEFT JOIN json_to_recordset(p_moves)
        AS v (flow bigint, run integer, since integer, step integer, done integer, failed integer) ON v.flow = c.flow
    WHERE f.seq = c.flow AND (c.until IS NULL OR f.done + c.fresh < c.until
      OR (v.run = f.run AND v.since = f.step AND v.done = f.done + c.fresh AND v.failed = f.failed + c.failed))
    RETURNING f.seq, coalesce(f.step = v.step AND f.done = v.done AND f.run = v.run, false) AS by_move)
  SELECT array_agg(seq) FILTER (WHERE by_move), v_kept - count(*) INTO v_moved, v_kept FROM moved;
  IF v_kept > 0 THEN
    -- Somebody was faster. What follows is worked out again, from the start.
    RAISE EXCEPTION 'A flow has moved meanwhile' USING ERRCODE = '40001';
  END IF;
  IF v_moved IS NOT NULL THEN
    INSERT INTO {message} (project, queued_at, owner, rank, due_at, expires_at, send_at, queue, id, func, name, grp, kind,
      parent, envelope, member)
    SELECT p_project, p_now, CASE WHEN d.due_at > p_now THEN 0 END, t.rank, d.due_at, p_now + t.life,
      greatest(p_now + p_hand, d.due_at - p_ahead), t.queue, t.id, t.func, t.name, t.grp, t.kind, t.parent, t.envelope,
      t.member
    FROM unnest(p_task_flows, p_ids, p_queues, p_ranks, p_delays, p_dues, p_lives, p_funcs, p_names, p_groups, p_kinds,
        p_parents, p_envelopes, p_members) WITH ORDINALITY
        AS t (flow, id, queue, rank, delay, due, life, func, name, grp, kind, parent, envelope, member, nth)
      CROSS JOIN LATERAL (SELECT greatest(p_now + t.delay, t.due) AS due_at) AS d
    WHERE t.flow = ANY (v_moved) AND NOT EXISTS (SELECT FROM {message} m WHERE m.project = p_project AND m.id = t.id)
      AND NOT EXISTS (SELECT FROM {task} k WHERE k.project = p_project AND k.id = t.id)
    ORDER BY t.nth ON CONFLICT DO NOTHING;
    PERFORM {tell}(p_project, 1);
    SELECT json_agg(json_build_array(m.flow, m.task))::text INTO ahead
    FROM json_to_recordset(p_moves) AS v (flow bigint, ahead integer)
      JOIN {flow_member} m ON m.flow = v.flow AND m.place = v.ahead
    WHERE v.flow = ANY (v_moved) AND octet_length(m.task) <= 8192;
  END IF;
  RETURN NEXT;
END $$;
`;
