import type { Delivery } from "../../contracts/broker.js";
import { textArray } from "./array-literal.js";
import { underLease } from "./lease.js";
import type { ProjectDatabase } from "./project-database.js";
import { statement } from "./statement.js";

type TakenRow = readonly [
  seq: number,
  place: number,
  id: string,
  envelope: string,
  rank: number,
  deliveries: number,
  attempts: number,
  starts: number,
  queuedAt: number,
  dueAt: number | null,
  expired: boolean,
];

/** What a look found, and in how many milliseconds the next one is worth its while. */
export interface Look {
  readonly deliveries: Delivery[];
  readonly nextMs: number;
}

const takeSql = statement(
  "take",
  `SELECT seq, place, id, envelope, rank, deliveries, attempts, starts, queued_at, due_at, expired
   FROM {take}($1, {now}, $2, $3::text[], $4)`,
  { isQuick: true },
);

/** Hands out up to `max` messages, from the first queue first; in each by priority, due time and enqueue order. */
export async function take(
  database: ProjectDatabase,
  consumer: number,
  queues: readonly string[],
  max: number,
): Promise<Look> {
  const values = [consumer, textArray(queues), Math.min(max, 1e6)];
  const rows = await underLease(consumer, database.arrays<TakenRow>(takeSql, values));
  const [first] = rows;
  if (first === undefined || first[0] === 0) {
    const [, , , , , , , , now = 0, dueAt] = first ?? [];
    return { deliveries: [], nextMs: dueAt === null || dueAt === undefined ? Infinity : dueAt - now };
  }
  return { deliveries: rows.sort(byPlace).map((row) => delivery(row, queues)), nextMs: 0 };
}

/** The rows of an update come in no particular order. */
function byPlace(a: TakenRow, b: TakenRow): number {
  return a[1] - b[1] || a[4] - b[4] || (a[9] ?? 0) - (b[9] ?? 0) || a[0] - b[0];
}

function delivery(row: TakenRow, queues: readonly string[]): Delivery {
  const [receipt, place, id, envelope, , deliveries, attempts, starts, queuedAt, dueAt, expired] = row;
  const queue = queues[place - 1] ?? "";
  return { receipt, id, queue, envelope, deliveries, attempts, starts, queuedAt, dueAt: dueAt ?? 0, expired };
}
