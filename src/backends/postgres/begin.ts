import type { Begun } from "../../contracts/outbox.js";
import { textArray } from "./array-literal.js";
import { underLease } from "./lease.js";
import type { ProjectDatabase } from "./project-database.js";
import { statement } from "./statement.js";

const beginSql = statement(
  "begin",
  `SELECT answer, delay, seq, id, queue, envelope, deliveries, attempts, starts, queued_at, due_at, expired
   FROM {begin}($1, {now}, $2, $3, $4, $5::text[]) WITH ORDINALITY AS o ORDER BY o.ordinality`,
);

type BegunRow = readonly [
  answer: Begun["as"],
  delay: number,
  seq: number,
  id: string,
  queue: string,
  envelope: string,
  deliveries: number,
  attempts: number,
  starts: number,
  queuedAt: number,
  dueAt: number,
  expired: boolean,
];

/** Begins what may run, and says of everything else why not. @param own - The hold's number, `resendMs`, `aheadMs`. */
export async function beginTasks(
  database: ProjectDatabase,
  own: readonly [consumer: number, resendMs: number, aheadMs: number],
  ids: readonly string[],
): Promise<Begun[]> {
  const rows = await underLease(own[0], database.arrays<BegunRow>(beginSql, [...own, textArray(ids)]));
  return rows.map(begun);
}

function begun(row: BegunRow): Begun {
  const [answer, delayMs, receipt, id, queue, envelope, deliveries, attempts, starts, queuedAt, dueAt, expired] = row;
  if (answer === "later") return { as: answer, delayMs };
  if (answer !== "begun") return { as: answer };
  return {
    as: answer,
    delivery: { receipt, id, queue, envelope, deliveries, attempts, starts, queuedAt, dueAt, expired },
  };
}
