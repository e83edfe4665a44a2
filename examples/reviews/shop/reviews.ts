import type { Verdict } from "../moderation/moderate.js";
import { type Database, openDatabase } from "./database.js";

export type ReviewState = "pending" | "approved" | "rejected" | "failed";

export interface Review {
  readonly id: string;
  readonly text: string;
  readonly state: ReviewState;
  readonly reasons: readonly string[];
  /** The task that judges it; `undefined` until its id was noted. */
  readonly task: string | undefined;
  /** What the client was told; `undefined` until then. */
  readonly notice: string | undefined;
}

/** How many reviews are in each state, and how many clients were told. */
export type ReviewCounts = Readonly<Record<ReviewState | "notified", number>>;

/** The shop's tables: its own, in its own file. */
export interface Reviews {
  /**
   * Stores a review, and does `also` in the same transaction: both are there, or neither.
   *
   * @returns What `also` returns; `undefined` when the id was taken, and nothing changed.
   */
  readonly add: <T>(id: string, text: string, also: (tx: object) => T) => T | undefined;
  readonly find: (id: string) => Review | undefined;
  readonly setTask: (id: string, taskId: string) => void;
  /** Stores the verdict, once: a task may run again, and the first verdict stands. */
  readonly judge: (id: string, verdict: Verdict) => Verdict;
  /** What the client is told, once. `failed`: there will be no verdict. */
  readonly notify: (id: string, notice: string, failed: boolean) => void;
  /** Removes the texts of rejected reviews; their verdicts stay. Returns how many. */
  readonly forgetRejected: () => number;
  readonly counts: () => ReviewCounts;
  readonly close: () => void;
}

const tables = `
  create table if not exists review (id text primary key, text text not null, task_id text) strict;
  create table if not exists verdict (review_id text primary key, verdict text not null, reasons text not null) strict;
  create table if not exists notice (review_id text primary key, text text not null, failed integer not null) strict;
`;

const reviewWithState = `
  select r.id, r.text, r.task_id, v.verdict, v.reasons, n.text as notice, n.failed
  from review r left join verdict v on v.review_id = r.id left join notice n on n.review_id = r.id`;

const stateCounts = `
  select case when v.verdict is not null then v.verdict when n.failed = 1 then 'failed' else 'pending' end as state,
    count(*) as count
  from review r left join verdict v on v.review_id = r.id left join notice n on n.review_id = r.id
  group by 1
  union all select 'notified', count(*) from notice`;

interface ReviewRow {
  readonly id: string;
  readonly text: string;
  readonly task_id: string | null;
  readonly verdict: "approved" | "rejected" | null;
  readonly reasons: string | null;
  readonly notice: string | null;
  readonly failed: number | null;
}

export async function openReviews(file: string): Promise<Reviews> {
  const database = await openDatabase(file);
  database.exec(tables);
  return { ...writing(database), ...reading(database), close: () => void database.close() };
}

function writing(database: Database): Pick<Reviews, "add" | "setTask" | "judge" | "notify" | "forgetRejected"> {
  const add = database.prepare("insert into review (id, text) values (?, ?) on conflict do nothing");
  const setTask = database.prepare("update review set task_id = ? where id = ?");
  const judge = database.prepare("insert into verdict values (?, ?, ?) on conflict do nothing");
  const verdict = database.prepare("select verdict, reasons from verdict where review_id = ?");
  const forget = database.prepare(
    "update review set text = '' where text <> '' and id in (select review_id from verdict where verdict = 'rejected')",
  );
  const notify = database.prepare("insert into notice values (?, ?, ?) on conflict do nothing");
  return {
    add: (id, text, also) =>
      inTransaction(database, () => (Number(add.run(id, text).changes) === 1 ? also(database) : undefined)),
    setTask: (id, taskId) => void setTask.run(taskId, id),
    judge(id, fresh) {
      judge.run(id, fresh.verdict, JSON.stringify(fresh.reasons));
      const stored = verdict.get(id) as { verdict: Verdict["verdict"]; reasons: string };
      return { verdict: stored.verdict, reasons: JSON.parse(stored.reasons) as string[] };
    },
    forgetRejected: () => Number(forget.run().changes),
    notify: (id, notice, failed) => void notify.run(id, notice, failed ? 1 : 0),
  };
}

function reading(database: Database): Pick<Reviews, "find" | "counts"> {
  const find = database.prepare(`${reviewWithState} where r.id = ?`);
  const counts = database.prepare(stateCounts);
  return {
    find(id) {
      const row = find.get(id) as ReviewRow | undefined;
      return row === undefined ? undefined : reviewOf(row);
    },
    counts() {
      const rows = counts.all() as { state: keyof ReviewCounts; count: number }[];
      const none = { pending: 0, approved: 0, rejected: 0, failed: 0, notified: 0 };
      return { ...none, ...Object.fromEntries(rows.map(({ state, count }) => [state, count])) };
    },
  };
}

function inTransaction<T>(database: Database, work: () => T): T {
  database.exec("begin immediate");
  try {
    const value = work();
    database.exec("commit");
    return value;
  } catch (error) {
    database.exec("rollback");
    throw error;
  }
}

function reviewOf(row: ReviewRow): Review {
  return {
    id: row.id,
    text: row.text,
    state: row.verdict ?? (row.failed === 1 ? "failed" : "pending"),
    reasons: row.reasons === null ? [] : (JSON.parse(row.reasons) as string[]),
    task: row.task_id ?? undefined,
    notice: row.notice ?? undefined,
  };
}
