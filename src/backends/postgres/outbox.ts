import type { Hold, Outbox, OutboxOptions, Unsent, UnsentMessage } from "../../contracts/outbox.js";
import { priorityOf } from "../sql/task-row.js";
import { textArray } from "./array-literal.js";
import { beginTasks } from "./begin.js";
import { PostgresConsumer } from "./consumer.js";
import { openLease, underLease } from "./lease.js";
import type { ProjectDatabase } from "./project-database.js";
import { statement } from "./statement.js";

const free = "coalesce(m.owner, 0) = 0";

/** In the order of their numbers, so that two who mark the same tasks do not wait for each other. */
const sentSql = statement(
  "mark-sent",
  `UPDATE {message} SET send_at = {resend_at}({now}, due_at, $4, $5) WHERE seq = ANY (ARRAY(
     SELECT m.seq FROM {message} m
     WHERE m.project = $1 AND m.id = ANY ($2::text[]) AND m.send_at <= {now} + $3::bigint AND ${free}
     ORDER BY m.seq FOR UPDATE))`,
);

/** So many rows in one statement, so that none of them runs into a time-out. */
const adoptStep = 10_000;

/** One step along the table. */
const adoptSql = statement(
  "adopt",
  `WITH step AS (SELECT seq FROM {message} WHERE seq > $3 ORDER BY seq LIMIT ${adoptStep}),
     adopted AS (
       UPDATE {message} m SET send_at = greatest({now}, m.due_at - $2::bigint)
       WHERE m.seq = ANY (ARRAY(SELECT seq FROM step)) AND m.project = $1 AND m.send_at IS NULL AND ${free})
   SELECT max(seq) AS last FROM step`,
);

const unsentSql = statement(
  "unsent",
  `SELECT seq, id, queue, rank, due_at, {now} AS now
   FROM {hand_out}($1, {now}, $2, $3, $4, $5, -1, {now}, NULL, $6) WITH ORDINALITY AS o ORDER BY o.ordinality`,
);

const missingSql = statement(
  "missing",
  `SELECT seq, id, queue, rank, due_at, {now} AS now
   FROM {hand_out}($1, {now}, $2, $3, $4, $5, {now} + $5, {now} + $3 - $6::bigint, $7, $8) WITH ORDINALITY AS o
   ORDER BY o.ordinality`,
);

/** The most rows of one answer. */
const mostAtOnce = 1e6;

/** A message to send. The last one, with the number 0, has only the next time to send. */
interface HandedRow {
  readonly seq: number;
  readonly id: string;
  readonly queue: string;
  readonly rank: number;
  readonly due_at: number | null;
  readonly now: number;
}

/** Tasks in the table `qluster_message` that a broker elsewhere carries: those with a `send_at`. */
export function postgresOutbox(database: ProjectDatabase, options: OutboxOptions, safetyMs: number): Outbox {
  const { aheadMs, handMs, resendMs } = options;
  return {
    async hold(request) {
      const seq = await openLease(database, request);
      await adopt(database, options);
      return postgresHold(new PostgresConsumer(seq, request, database, safetyMs), seq, database, options);
    },
    async sent(ids) {
      if (ids.length > 0) await database.run(sentSql, [textArray(ids), handMs, resendMs, aheadMs]);
    },
  };
}

function postgresHold(
  consumer: PostgresConsumer,
  seq: number,
  database: ProjectDatabase,
  options: OutboxOptions,
): Hold {
  const { aheadMs, handMs, resendMs, missingMs } = options;
  const own = [seq, resendMs, aheadMs] as const;
  return {
    id: consumer.id,
    acknowledge: (receipts) => consumer.acknowledge(receipts),
    release: (receipts, how) => consumer.release(receipts, how),
    renew: (running) => consumer.renew(running),
    close: () => consumer.close(),
    begin: (ids) => beginTasks(database, own, ids),
    unsent: async (max) =>
      unsentOf(await underLease(seq, database.all(unsentSql, [...own, handMs, Math.min(max, mostAtOnce)]))),
    missing: async (queue, max) => {
      const values = [...own, handMs, missingMs, queue, Math.min(max, mostAtOnce)];
      return unsentOf(await underLease(seq, database.all(missingSql, values))).messages;
    },
  };
}

/** What was written before the database had an outbox. */
async function adopt(database: ProjectDatabase, { aheadMs }: OutboxOptions): Promise<void> {
  for (let last: number | null = 0; last !== null;) {
    last = (await database.first<{ last: number | null }>(adoptSql, [aheadMs, last]))?.last ?? null;
  }
}

function unsentOf(rows: readonly HandedRow[]): Unsent & { readonly messages: UnsentMessage[] } {
  const next = rows.at(-1);
  const isNone = next === undefined || next.due_at === null;
  return {
    messages: rows.slice(0, -1).map(({ id, queue, rank, due_at, now }) => {
      return { id, queue, priority: priorityOf(rank), delayMs: Math.max(0, (due_at ?? now) - now) };
    }),
    nextInMs: isNone ? null : Math.max(0, (next.due_at ?? 0) - next.now),
  };
}
