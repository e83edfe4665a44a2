import type { Receipt, ReleaseOptions } from "../../contracts/broker.js";
import { numberArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import type { ProjectDatabase } from "./project-database.js";
import { statement } from "./statement.js";

/** What belongs to a task that leaves no record, removed with the rows of `gone`. */
export const forgetDetails = `
  attempts AS (DELETE FROM {attempt} a USING gone WHERE a.project = $1 AND a.id = gone.id),
  progress AS (DELETE FROM {progress} p USING gone WHERE p.project = $1 AND p.id = gone.id),
  lines AS (DELETE FROM {log} l USING gone WHERE l.project = $1 AND l.id = gone.id)`;

const acknowledgeSql = statement(
  "acknowledge",
  `WITH gone AS (
     DELETE FROM {message} m USING unnest($3::bigint[]) AS f (seq)
     WHERE m.seq = f.seq AND m.project = $1 AND m.owner = $2 RETURNING m.seq, m.id), ${forgetDetails}
   SELECT seq FROM gone`,
);

/** Without a delay a message keeps its due time, and with it its old place. */
const releaseSql = statement(
  "release",
  `WITH freed AS (
     UPDATE {message} m
     SET owner = CASE WHEN $4::bigint > 0 THEN 0 END,
       due_at = CASE WHEN $4::bigint > 0 THEN {now} + $4::bigint ELSE m.due_at END,
       deliveries = greatest(0, m.deliveries + $5)
     FROM unnest($3::bigint[]) AS f (seq) WHERE m.seq = f.seq AND m.project = $1 AND m.owner = $2 RETURNING 1)
   SELECT {tell}($1, 1) FROM freed LIMIT 1`,
);

/** Removes messages for good; `false` for what is not the consumer's any more. */
export async function acknowledge(
  database: ProjectDatabase,
  consumer: number,
  receipts: readonly Receipt[],
): Promise<boolean[]> {
  const rows = await database.all<{ seq: number }>(acknowledgeSql, [consumer, seqsOf(receipts)]);
  const gone = new Set(rows.map(({ seq }) => seq));
  // Twice in one call is once.
  return receipts.map((receipt) => gone.delete(Number(receipt)));
}

/** Gives messages back, unstarted. What is not the consumer's any more is passed over. */
export async function release(
  database: Queries,
  consumer: number,
  receipts: readonly Receipt[],
  { delayMs = 0, suspect = false }: ReleaseOptions,
): Promise<void> {
  await database.run(releaseSql, [consumer, seqsOf(receipts), Math.ceil(delayMs), suspect ? 1 : -1]);
}

function seqsOf(receipts: readonly Receipt[]): string {
  return numberArray([...new Set(receipts.map(messageNumber))]);
}

/** A message's number. What never was a receipt of ours gives a message that does not exist. */
export function messageNumber(receipt: Receipt): number {
  const seq = Number(receipt);
  return Number.isSafeInteger(seq) ? seq : -1;
}
