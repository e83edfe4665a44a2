/**
 * What needs more than one statement for one answer, in one round trip. Each statement of a function sees what was
 * committed before it, also while the function runs.
 */
export const functions = `
-- Tells a topic's listeners, if there are any: a listener holds this lock in shared mode, so that taking it fails.
-- Topics: 1 messages, 2 results, 3 orders.
CREATE FUNCTION {tell}(p_project integer, p_topic integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('{channel}'), p_project * 4 + p_topic) THEN
    PERFORM pg_notify('{channel}', p_project || ':' || p_topic);
  END IF;
END $$;

-- Queues tasks. No rows: all of them are new. Else one row for each, in order.
CREATE FUNCTION {submit}(
  p_project integer, p_now bigint, p_unique boolean, p_ids text[], p_queues text[], p_ranks integer[], p_delays bigint[],
  p_dues bigint[], p_lives bigint[], p_funcs text[], p_names text[], p_groups text[], p_kinds text[], p_parents text[],
  p_keys text[], p_untils text[], p_key_lives bigint[], p_envelopes text[]
) RETURNS TABLE (place integer, id text, created boolean) LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  v_new text[];
  v_known text[];
  v_id text;
  v_holder text;
BEGIN
  PERFORM {tell}(p_project, 1);
  IF NOT p_unique THEN
    WITH new AS (
      INSERT INTO {message} (project, queued_at, owner, rank, due_at, expires_at, queue, id, func, name, grp, kind, parent, envelope)
      SELECT p_project, p_now, CASE WHEN greatest(p_now + t.delay, t.due) > p_now THEN 0 END, t.rank,
        greatest(p_now + t.delay, t.due), p_now + t.life, t.queue, t.id, t.func, t.name, t.grp, t.kind, t.parent, t.envelope
      FROM unnest(p_ids, p_queues, p_ranks, p_delays, p_dues, p_lives, p_funcs, p_names, p_groups, p_kinds, p_parents,
        p_envelopes) WITH ORDINALITY
        AS t (id, queue, rank, delay, due, life, func, name, grp, kind, parent, envelope, place)
      ORDER BY t.place
      ON CONFLICT DO NOTHING RETURNING id)
    SELECT array_agg(new.id) INTO v_new FROM new;
    -- Looked for after the insert, which waited for a finish of the same task that was under way.
    v_known := ARRAY(SELECT t.id FROM {task} t WHERE t.project = p_project AND t.id = ANY (v_new));
    IF cardinality(v_known) > 0 THEN
      DELETE FROM {message} m WHERE m.project = p_project AND m.id = ANY (v_known);
    ELSIF cardinality(v_new) = cardinality(p_ids) THEN
      RETURN;
    END IF;
    RETURN QUERY SELECT t.place::integer, t.id,
      coalesce(t.id = ANY (v_new), false) AND NOT t.id = ANY (v_known)
        AND row_number() OVER (PARTITION BY t.id ORDER BY t.place) = 1
      FROM unnest(p_ids) WITH ORDINALITY AS t (id, place) ORDER BY t.place;
    RETURN;
  END IF;
  FOR i IN 1 .. cardinality(p_ids) LOOP
    LOOP
      IF p_keys[i] IS NOT NULL THEN
        UPDATE {message} m SET unique_key = NULL
        WHERE m.project = p_project AND m.unique_key = p_keys[i]
          AND (m.unique_ends_at <= p_now OR (m.expires_at <= p_now AND coalesce(m.owner, 0) = 0));
      END IF;
      v_id := NULL;
      INSERT INTO {message} (project, queued_at, owner, rank, due_at, expires_at, queue, id, func, name, grp, kind, parent,
        unique_key, unique_until, unique_ends_at, envelope)
      VALUES (p_project, p_now, CASE WHEN greatest(p_now + p_delays[i], p_dues[i]) > p_now THEN 0 END, p_ranks[i],
        greatest(p_now + p_delays[i], p_dues[i]), p_now + p_lives[i], p_queues[i], p_ids[i], p_funcs[i], p_names[i],
        p_groups[i], p_kinds[i], p_parents[i], p_keys[i], p_untils[i], p_now + p_key_lives[i], p_envelopes[i])
      ON CONFLICT DO NOTHING RETURNING id INTO v_id;
      IF v_id IS NOT NULL THEN
        created := NOT EXISTS (SELECT FROM {task} t WHERE t.project = p_project AND t.id = v_id);
        IF NOT created THEN
          DELETE FROM {message} m WHERE m.project = p_project AND m.id = v_id;
        END IF;
        EXIT;
      END IF;
      created := false;
      SELECT m.id INTO v_holder FROM {message} m
      WHERE m.project = p_project AND m.unique_key = p_keys[i] AND m.id <> p_ids[i];
      v_id := v_holder;
      EXIT WHEN v_holder IS NOT NULL;
      v_id := p_ids[i];
      EXIT WHEN EXISTS (SELECT FROM {message} m WHERE m.project = p_project AND m.id = p_ids[i]);
      -- Who stood in the way has gone meanwhile.
    END LOOP;
    place := i;
    id := v_id;
    RETURN NEXT;
  END LOOP;
END $$;

-- Ends the leases that ran out, but never the heir's own. What a claim holds at this moment is left for the next look.
CREATE FUNCTION {take_over}(p_project integer, p_now bigint, p_heir bigint) RETURNS boolean LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off AS $$
DECLARE
  v_gone record;
  v_any boolean := false;
BEGIN
  FOR v_gone IN
    DELETE FROM {consumer} WHERE seq = ANY (ARRAY(
      SELECT c.seq FROM {consumer} c WHERE c.project = p_project AND c.expires_at <= p_now AND c.seq <> p_heir
      FOR UPDATE SKIP LOCKED)) RETURNING seq, running, lost_error
  LOOP
    v_any := true;
    WITH ran AS (
      SELECT DISTINCT ON (r.id) r.id, floor(r."startedAt")::bigint AS started_at, r.worker
      FROM json_to_recordset(v_gone.running) AS r (id text, "startedAt" numeric, worker text)),
    counted AS (
      UPDATE {message} m SET attempts = m.attempts + 1, starts = m.starts + 1, deliveries = 0,
        started_at = ran.started_at, stopped_at = p_now, worker = ran.worker
      FROM ran WHERE m.project = p_project AND m.id = ran.id AND m.owner = v_gone.seq
      RETURNING m.id, m.starts, ran.started_at, ran.worker)
    INSERT INTO {attempt} (project, id, number, ending, counted, started_at, stopped_at, worker, error)
    SELECT p_project, counted.id, counted.starts, 'lost', 1, counted.started_at, p_now, counted.worker, v_gone.lost_error
    FROM counted ON CONFLICT DO NOTHING;
    UPDATE {message} SET owner = NULL WHERE owner = v_gone.seq AND owner > 0;
  END LOOP;
  IF v_any THEN
    PERFORM {tell}(p_project, 1);
  END IF;
  RETURN v_any;
END $$;

-- Hands out messages under a live lease: takes over and lets in what has become due on the way. Without anything to hand
-- out, one row with seq 0 says in due_at when the next look is worth its while. A claim that a crash of the server takes
-- back only frees the messages again, and the stale holder's endings are refused: so it need not wait for the disk.
-- The planner, left alone on a table that was just filled, would sort all waiting rows for each claim.
CREATE FUNCTION {take}(p_project integer, p_now bigint, p_consumer bigint, p_queues text[], p_max integer)
RETURNS TABLE (seq bigint, place integer, id text, envelope text, rank integer, deliveries integer, attempts integer,
  starts integer, queued_at bigint, due_at bigint, expired boolean) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  v_lease bigint;
  v_expires bigint;
  v_unbroken bigint;
  v_heir_at bigint;
  v_jumped boolean;
  v_due bigint;
  v_rows integer;
  v_taken integer := 0;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  SELECT c.lease_ms, c.expires_at, least(c.unbroken_since, p_now) INTO v_lease, v_expires, v_unbroken
  FROM {consumer} c WHERE c.seq = p_consumer FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'The lease of consumer % has ended', p_consumer USING ERRCODE = 'QL001';
  END IF;
  SELECT bool_or(c.expires_at > p_now + c.lease_ms + 60000), min(c.expires_at) FILTER (WHERE c.seq <> p_consumer)
  INTO v_jumped, v_heir_at FROM {consumer} c WHERE c.project = p_project;
  IF v_jumped THEN
    -- The clock was set back, far enough to be sure: calls are under way side by side, and p_now is when each of them began.
    -- Else the dead would keep what they held for as long as it has jumped.
    UPDATE {consumer} c SET expires_at = p_now + c.lease_ms, unbroken_since = least(c.unbroken_since, p_now)
    WHERE c.project = p_project AND c.expires_at > p_now + c.lease_ms + 60000;
    v_expires := least(v_expires, p_now + v_lease);
    v_heir_at := least(v_heir_at, p_now + v_lease);
  END IF;
  -- Who was silent itself has to stay in touch for a whole lease first: until then the others may come back.
  v_heir_at := CASE WHEN v_heir_at IS NOT NULL
    THEN greatest(v_heir_at, CASE WHEN v_expires > p_now THEN v_unbroken ELSE p_now END + v_lease) END;
  IF v_heir_at <= p_now THEN
    PERFORM {take_over}(p_project, p_now, p_consumer);
  END IF;
  SELECT min(m.due_at) INTO v_due FROM {message} m WHERE m.project = p_project AND m.owner = 0;
  IF v_due <= p_now THEN
    UPDATE {message} m SET owner = NULL WHERE m.seq = ANY (ARRAY(
      SELECT d.seq FROM {message} d WHERE d.project = p_project AND d.owner = 0 AND d.due_at <= p_now
      ORDER BY d.due_at, d.seq LIMIT 1000 FOR UPDATE SKIP LOCKED));
  END IF;
  FOR i IN 1 .. cardinality(p_queues) LOOP
    RETURN QUERY UPDATE {message} m SET owner = p_consumer, deliveries = m.deliveries + 1,
      unique_key = CASE WHEN m.unique_until = 'started' THEN NULL ELSE m.unique_key END
    WHERE m.seq = ANY (ARRAY(
      SELECT f.seq FROM {message} f WHERE f.project = p_project AND f.queue = p_queues[i] AND f.owner IS NULL
      ORDER BY f.rank, f.due_at, f.seq LIMIT p_max - v_taken FOR UPDATE SKIP LOCKED))
    RETURNING m.seq, i, m.id, m.envelope, m.rank, m.deliveries, m.attempts, m.starts, m.queued_at, m.due_at,
      coalesce(m.expires_at <= p_now, false);
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    v_taken := v_taken + v_rows;
    EXIT WHEN v_taken >= p_max;
  END LOOP;
  IF v_taken = 0 THEN
    seq := 0;
    queued_at := p_now;
    due_at := least(v_due, v_heir_at);
    RETURN NEXT;
  END IF;
END $$;

-- Ends a lease, and gives back what it held, as a clean release does.
CREATE FUNCTION {leave}(p_project integer, p_consumer bigint) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off AS $$
BEGIN
  DELETE FROM {consumer} WHERE seq = p_consumer;
  -- A claim that was under way has ended now, and is seen.
  UPDATE {message} SET owner = NULL, deliveries = greatest(0, deliveries - 1) WHERE owner = p_consumer AND owner > 0;
  PERFORM {tell}(p_project, 1);
END $$;
`;
