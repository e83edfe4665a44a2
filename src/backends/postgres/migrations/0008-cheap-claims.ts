import { anew } from "./anew.js";
import { durableClaims } from "./0006-durable-claims.js";

const looked = `    RETURN QUERY UPDATE {message} m SET owner = p_consumer, deliveries = m.deliveries + 1,
      unique_key = CASE WHEN m.unique_until = 'started' THEN NULL ELSE m.unique_key END
    WHERE m.seq = ANY (ARRAY(
      SELECT f.seq FROM {message} f WHERE f.project = p_project AND f.queue = p_queues[i] AND f.owner IS NULL
      ORDER BY f.rank, f.due_at, f.seq LIMIT p_max - v_taken FOR UPDATE SKIP LOCKED))
    RETURNING m.seq, i, m.id, m.envelope, m.rank, m.deliveries, m.attempts, m.starts, m.queued_at, m.due_at,
      coalesce(m.expires_at <= p_now, false);
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    v_taken := v_taken + v_rows;
`;

/** Rows are locked first, then written where they stand: nobody moves them in between. */
const locked = `    v_rows := ARRAY(
      SELECT f.ctid FROM {message} f WHERE f.project = p_project AND f.queue = p_queues[i] AND f.owner IS NULL
      ORDER BY f.rank, f.due_at, f.seq LIMIT p_max - v_taken FOR NO KEY UPDATE SKIP LOCKED);
    CONTINUE WHEN cardinality(v_rows) = 0;
    RETURN QUERY UPDATE {message} m SET owner = p_consumer, deliveries = m.deliveries + 1,
      unique_key = CASE WHEN m.unique_until = 'started' THEN NULL ELSE m.unique_key END
    WHERE m.ctid = ANY (v_rows)
    RETURNING m.seq, i, m.id, m.envelope, m.rank, m.deliveries, m.attempts, m.starts, m.queued_at, m.due_at,
      coalesce(m.expires_at <= p_now, false);
    v_taken := v_taken + cardinality(v_rows);
`;

/**
 * The claim with one look at each row less. Under its old name: it answers as before, and clusters of
 * older versions gain by it too.
 */
export const cheapClaims: string = `
-- A claim writes each row anew, and with it one more entry into each of these: with room for it their pages need not be split.
-- Holds for pages that are still to come.
ALTER INDEX IF EXISTS {schema}.qluster_message_pkey SET (fillfactor = 45);
ALTER INDEX IF EXISTS {schema}.qluster_message_id SET (fillfactor = 45);

-- Hands out messages under a live lease: takes over and lets in what has become due on the way. Without anything to hand
-- out, one row with seq 0 says in due_at when the next look is worth its while. It waits for the disk: a claim that a crash took
-- back would free a task that its holder may start after somebody else has finished it. What finds nothing need not wait.
-- The planner, left alone on a table that was just filled, would sort all waiting rows for each claim.
-- Rows are locked first, then written where they stand: nobody moves them in between. That takes two statements, as the second
-- one has to see what the first one has waited for.
${anew(durableClaims, "take", [
  ["SET enable_sort = off SET jit", "SET enable_sort = off\nSET enable_tidscan = on SET jit"],
  ["v_rows integer;", "v_rows tid[];"],
  [looked, locked],
])}
`;
