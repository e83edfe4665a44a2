import type { Receipt, ReleaseOptions } from "../../contracts/broker.js";
import { numberArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import type { ProjectDatabase } from "./project-database.js";
import { statement } from "./statement.js";

/** The owner of a message that nobody holds, free or delayed. */
export const nobody = 0;

/** What belongs to a task that leaves no record, removed with the rows of `gone`. */
export const forgetDetails = `
  attempts AS (DELETE FROM {attempt} a USING gone WHERE a.project = $1 AND a.id = gone.id),
  progress AS (DELETE FROM {progress} p USING gone WHERE p.project = $1 AND p.id = gone.id),
  lines AS (DELETE FROM {log} l USING gone WHERE l.project = $1 AND l.id = gone.id)`;

/** What the new time to send of a message that is given back follows from. */
export function resending({ outbox }: Queries): [resendMs: number | null, aheadMs: number | null] {
  return [outbox?.resendMs ?? null, outbox?.aheadMs ?? null];
}

const acknowledgeSql = statement("acknowledge", "SELECT seq FROM {acknowledge}($1, $2, $3::bigint[]) AS seq");

const releaseSql = statement("release", "SELECT {release}($1, {now}, $2, $3::bigint[], $4, $5, $6, $7)");

/** What a reply that never arrived had handed out goes back. */
const resyncSql = statement(
  "resync",
  `WITH freed AS (
     UPDATE {message} m SET owner = NULL, deliveries = greatest(0, m.deliveries - 1)
     WHERE m.project = $1 AND m.owner = $2 AND m.owner > 0 AND NOT m.seq = ANY ($3::bigint[]) RETURNING 1)
   SELECT {tell}($1, 1) FROM freed LIMIT 1`,
);

/** Gives back what the consumer holds without knowing of it. No claim of its own may be under way. */
export async function resync(database: ProjectDatabase, consumer: number): Promise<void> {
  const known = database.held.of(String(consumer)).map(Number);
  await database.run(resyncSql, [consumer, numberArray(known)]);
}

/** Removes messages for good; `false` for what is not the consumer's any more. */
export async function acknowledge(
  database: ProjectDatabase,
  consumer: number,
  receipts: readonly Receipt[],
): Promise<boolean[]> {
  const turn = database.held.turn();
  const rows = await database.all<{ seq: number }>(acknowledgeSql, [consumer, seqsOf(receipts)]);
  database.held.remove(String(consumer), receipts, turn);
  const gone = new Set(rows.map(({ seq }) => seq));
  // Twice in one call is once.
  return receipts.map((receipt) => gone.delete(Number(receipt)));
}

/** Gives messages back, unstarted. What is not the consumer's any more is passed over. */
export async function release(
  database: ProjectDatabase,
  consumer: number,
  receipts: readonly Receipt[],
  { delayMs = 0, suspect = false }: ReleaseOptions,
): Promise<void> {
  const turn = database.held.turn();
  await database.run(releaseSql, [
    consumer,
    seqsOf(receipts),
    Math.ceil(delayMs),
    suspect ? 1 : -1,
    ...resending(database),
  ]);
  database.held.remove(String(consumer), receipts, turn);
}

function seqsOf(receipts: readonly Receipt[]): string {
  return numberArray([...new Set(receipts.map(messageNumber))]);
}

/** A message's number. What never was a receipt of ours gives a message that does not exist. */
export function messageNumber(receipt: Receipt): number {
  const seq = Number(receipt);
  return Number.isSafeInteger(seq) ? seq : -1;
}
