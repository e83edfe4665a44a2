/** Tasks of this database that a broker elsewhere carries. */
export const outbox = `
-- When a task is to be sent to the broker: NULL for tasks that the database itself carries, and while a hold has them.
ALTER TABLE {message} ADD COLUMN send_at bigint;
CREATE INDEX qluster_message_unsent ON {message} (project, send_at, seq) WHERE send_at IS NOT NULL;

-- When to send what has just been given back: the broker still has its message, unless it became due too far from now.
CREATE FUNCTION {resend_at}(p_now bigint, p_due bigint, p_resend bigint, p_ahead bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN p_due - p_ahead > p_now THEN p_due - p_ahead ELSE greatest(p_now, p_due) + p_resend END
$$;

-- Queues tasks, as submit does. Who writes them has p_hand milliseconds to send them.
CREATE FUNCTION {submit_apart}(
  p_project integer, p_now bigint, p_unique boolean, p_ids text[], p_queues text[], p_ranks integer[], p_delays bigint[],
  p_dues bigint[], p_lives bigint[], p_funcs text[], p_names text[], p_groups text[], p_kinds text[], p_parents text[],
  p_keys text[], p_untils text[], p_key_lives bigint[], p_envelopes text[], p_hand bigint, p_ahead bigint
) RETURNS TABLE (place integer, id text, created boolean) LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT s.place, s.id, s.created FROM {submit}(p_project, p_now, p_unique, p_ids, p_queues, p_ranks, p_delays,
    p_dues, p_lives, p_funcs, p_names, p_groups, p_kinds, p_parents, p_keys, p_untils, p_key_lives, p_envelopes) AS s;
  UPDATE {message} m SET send_at = greatest(p_now + p_hand, m.due_at - p_ahead)
  WHERE m.project = p_project AND m.id = ANY (p_ids) AND m.send_at IS NULL AND coalesce(m.owner, 0) = 0;
END $$;

-- Ends the leases that ran out, as take_over does, but waits for what their holders are doing at this moment: who asks for
-- a task by its id must not be told that a dead one has it.
CREATE FUNCTION {take_over_apart}(p_project integer, p_now bigint, p_heir bigint, p_resend bigint, p_ahead bigint)
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off AS $$
DECLARE
  v_gone record;
BEGIN
  FOR v_gone IN
    DELETE FROM {consumer} WHERE seq = ANY (ARRAY(
      SELECT c.seq FROM {consumer} c WHERE c.project = p_project AND c.expires_at <= p_now AND c.seq <> p_heir
      ORDER BY c.seq FOR UPDATE)) RETURNING seq, running, lost_error
  LOOP
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
    UPDATE {message} SET owner = NULL, send_at = {resend_at}(p_now, due_at, p_resend, p_ahead)
    WHERE owner = v_gone.seq AND owner > 0;
  END LOOP;
  IF FOUND THEN
    PERFORM {tell}(p_project, 1);
  END IF;
END $$;

-- Fails when the lease has ended; else the lease lasts to the end of the transaction. Takes over from the dead on the way.
CREATE FUNCTION {under_lease}(p_project integer, p_now bigint, p_consumer bigint, p_resend bigint, p_ahead bigint)
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off AS $$
DECLARE
  v_lease bigint;
  v_expires bigint;
  v_unbroken bigint;
  v_heir_at bigint;
  v_jumped boolean;
BEGIN
  SELECT c.lease_ms, c.expires_at, least(c.unbroken_since, p_now) INTO v_lease, v_expires, v_unbroken
  FROM {consumer} c WHERE c.project = p_project AND c.seq = p_consumer FOR KEY SHARE;
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
  IF v_expires > p_now AND greatest(v_heir_at, v_unbroken + v_lease) <= p_now THEN
    PERFORM {take_over_apart}(p_project, p_now, p_consumer, p_resend, p_ahead);
  END IF;
END $$;

-- Takes tasks under a live lease, as far as they may run, and says of each id what became of it. Rows are locked in the
-- order of their numbers, so that two who begin the same tasks do not wait for each other.
CREATE FUNCTION {begin}(p_project integer, p_now bigint, p_consumer bigint, p_resend bigint, p_ahead bigint, p_ids text[])
RETURNS TABLE (answer text, delay bigint, seq bigint, id text, queue text, envelope text, deliveries integer,
  attempts integer, starts integer, queued_at bigint, due_at bigint, expired boolean) LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM {under_lease}(p_project, p_now, p_consumer, p_resend, p_ahead);
  UPDATE {message} m SET owner = p_consumer, deliveries = m.deliveries + 1, send_at = NULL,
    unique_key = CASE WHEN m.unique_until = 'started' THEN NULL ELSE m.unique_key END
  WHERE m.seq = ANY (ARRAY(
    SELECT f.seq FROM {message} f
    WHERE f.project = p_project AND f.id = ANY (p_ids) AND coalesce(f.owner, 0) = 0 AND f.due_at <= p_now
    ORDER BY f.seq FOR UPDATE));
  RETURN QUERY SELECT
    CASE WHEN m.owner = p_consumer THEN 'begun' WHEN m.seq IS NOT NULL THEN 'later'
      WHEN t.found THEN 'finished' ELSE 'unknown' END,
    greatest(1, CASE WHEN m.owner > 0 THEN c.expires_at ELSE m.due_at END - p_now),
    m.seq, w.id, m.queue, CASE WHEN m.owner = p_consumer THEN m.envelope END, m.deliveries, m.attempts, m.starts,
    m.queued_at, m.due_at, coalesce(m.expires_at <= p_now, false)
  FROM unnest(p_ids) WITH ORDINALITY AS w (id, place)
    LEFT JOIN LATERAL (
      SELECT * FROM {message} m WHERE m.project = p_project AND m.id = w.id LIMIT 1) AS m ON true
    LEFT JOIN LATERAL (SELECT c.expires_at FROM {consumer} c WHERE c.seq = m.owner LIMIT 1) AS c ON true
    LEFT JOIN LATERAL (
      SELECT true AS found FROM {task} t WHERE m.seq IS NULL AND t.project = p_project AND t.id = w.id LIMIT 1) AS t ON true
  ORDER BY w.place;
END $$;

-- Hands out what is to be sent, each row to one caller for p_hand milliseconds: those whose time to send lies above p_after
-- and not above p_until; with p_queue only those of that queue that are due. The last row, with seq 0, says in due_at
-- when the next time to send comes.
CREATE FUNCTION {hand_out}(p_project integer, p_now bigint, p_consumer bigint, p_resend bigint, p_ahead bigint, p_hand bigint,
  p_after bigint, p_until bigint, p_queue text, p_max integer)
RETURNS TABLE (seq bigint, id text, queue text, rank integer, due_at bigint) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  v_seqs bigint[];
BEGIN
  PERFORM {under_lease}(p_project, p_now, p_consumer, p_resend, p_ahead);
  v_seqs := ARRAY(
    SELECT f.seq FROM {message} f
    WHERE f.project = p_project AND f.send_at > p_after AND f.send_at <= p_until AND coalesce(f.owner, 0) = 0
      AND (p_queue IS NULL OR (f.queue = p_queue AND f.due_at <= p_now))
    ORDER BY f.send_at, f.seq LIMIT p_max FOR UPDATE SKIP LOCKED);
  IF cardinality(v_seqs) > 0 THEN
    UPDATE {message} m SET send_at = p_now + p_hand WHERE m.seq = ANY (v_seqs);
    RETURN QUERY SELECT m.seq, m.id, m.queue, m.rank, m.due_at
    FROM unnest(v_seqs) WITH ORDINALITY AS w (seq, place)
      CROSS JOIN LATERAL (SELECT * FROM {message} m WHERE m.seq = w.seq LIMIT 1) AS m
    ORDER BY w.place;
  END IF;
  seq := 0;
  SELECT f.send_at INTO due_at FROM {message} f
  WHERE f.project = p_project AND f.send_at IS NOT NULL AND coalesce(f.owner, 0) = 0 ORDER BY f.send_at LIMIT 1;
  RETURN NEXT;
END $$;

-- Ends a hold, as leave does.
CREATE FUNCTION {leave_apart}(p_project integer, p_now bigint, p_consumer bigint, p_resend bigint, p_ahead bigint)
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off AS $$
BEGIN
  DELETE FROM {consumer} WHERE seq = p_consumer;
  UPDATE {message} SET owner = NULL, deliveries = greatest(0, deliveries - 1),
    send_at = {resend_at}(p_now, due_at, p_resend, p_ahead)
  WHERE owner = p_consumer AND owner > 0;
  PERFORM {tell}(p_project, 1);
END $$;
`;
