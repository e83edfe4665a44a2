import type { Delivery } from "../../contracts/broker.js";
import { textArray } from "./array-literal.js";
import { underLease } from "./lease.js";
import type { ProjectDatabase } from "./project-database.js";
import { statement } from "./statement.js";

/** A row with `odd` NULL is as nearly all are: from the first queue, of rank 0, handed out for the first time, and not too late. */
type TakenRow = readonly [
  seq: number,
  id: string,
  envelope: string,
  queuedAt: number,
  /** `null`: when it was queued. */
  dueAt: number | null,
  odd: string | null,
];

/** What a look found, and in how many milliseconds the next one is worth its while. */
export interface Look {
  readonly deliveries: Delivery[];
  readonly nextMs: number;
}

/** Few columns: each costs the client as much as the reading of a short text, for every row. */
const takeSql = statement(
  "take-few",
  `SELECT seq, id, envelope, queued_at, CASE WHEN seq = 0 OR due_at <> queued_at THEN due_at END,
     CASE WHEN place > 1 OR rank <> 0 OR deliveries <> 1 OR attempts > 0 OR starts > 0 OR expired
       THEN json_build_array(place, rank, deliveries, attempts, starts, expired)::text END
   FROM {take}($1, {now}, $2, $3::text[], $4)`,
  { isQuick: true },
);

type Odd = readonly [
  place: number,
  rank: number,
  deliveries: number,
  attempts: number,
  starts: number,
  expired: boolean,
];

const usual: Odd = [1, 0, 1, 0, 0, false];

interface Taken {
  readonly seq: number;
  readonly place: number;
  readonly rank: number;
  readonly delivery: Delivery;
}

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
    const [, , , now = 0, dueAt] = first ?? [];
    return { deliveries: [], nextMs: dueAt === null || dueAt === undefined ? Infinity : dueAt - now };
  }
  const taken = rows.map((row) => takenFrom(row, queues)).sort(byPlace);
  return { deliveries: taken.map(({ delivery }) => delivery), nextMs: 0 };
}

/** The rows of an update come in no particular order. */
function byPlace(a: Taken, b: Taken): number {
  return a.place - b.place || a.rank - b.rank || a.delivery.dueAt - b.delivery.dueAt || a.seq - b.seq;
}

function takenFrom(row: TakenRow, queues: readonly string[]): Taken {
  const [receipt, id, envelope, queuedAt, dueAt, odd] = row;
  const [place, rank, deliveries, attempts, starts, expired] = odd === null ? usual : (JSON.parse(odd) as Odd);
  const times = { queuedAt, dueAt: dueAt ?? queuedAt };
  const delivery = {
    receipt,
    id,
    queue: queues[place - 1] ?? "",
    envelope,
    deliveries,
    attempts,
    starts,
    ...times,
    expired,
  };
  return { seq: receipt, place, rank, delivery };
}
