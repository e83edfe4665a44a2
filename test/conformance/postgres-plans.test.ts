import type { Client } from "pg";
import { describe, expect, it } from "vitest";
import type { NewTask, OutboxOptions } from "../../src/contracts/index.js";
import { endPlain } from "../../src/backends/postgres/end-messages.js";
import { endSuccesses } from "../../src/backends/postgres/end-successes.js";
import { finishMembers } from "../../src/backends/postgres/finish-members.js";
import { acknowledge, release } from "../../src/backends/postgres/held-messages.js";
import type { ProjectDatabase } from "../../src/backends/postgres/project-database.js";
import { putBack } from "../../src/backends/postgres/put-back.js";
import { rendered, type SqlValue, type Statement } from "../../src/backends/postgres/statement.js";
import { TakenMembers } from "../../src/backends/postgres/taken-members.js";
import { ChainsAhead } from "../../src/backends/sql/chains-ahead.js";
import { Held } from "../../src/backends/sql/held.js";
import { newTask } from "../../src/testing/tasks.js";
import { connectTo, emptyPlace, openAt, schemaOf } from "../support/postgres.js";

interface Plan {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly "Actual Rows"?: number;
  readonly "Actual Loops"?: number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Join Filter"?: number;
  readonly Plans?: readonly Plan[];
}

/** The plans that the server really used, those inside of functions too, by what it says in notices. */
async function plansOf(client: Client, sql: string, values: readonly unknown[]): Promise<Plan[]> {
  const plans: Plan[] = [];
  client.on("notice", ({ message }) => {
    const json = /plan:\s*(\{[^]*\})/.exec(message ?? "")?.[1];
    if (json !== undefined) plans.push((JSON.parse(json) as { Plan: Plan }).Plan);
  });
  for (const setting of [
    "LOAD 'auto_explain'",
    "SET auto_explain.log_min_duration = 0",
    "SET auto_explain.log_analyze = on",
    "SET auto_explain.log_nested_statements = on",
    "SET auto_explain.log_format = json",
    "SET auto_explain.log_level = notice",
  ]) {
    await client.query(setting);
  }
  plans.length = 0;
  await client.query(sql, [...values]);
  return plans.flatMap(nodesOf);
}

function nodesOf(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

/** 40,000 waiting messages in a table that was never analysed. */
async function fullQueue(
  outbox?: OutboxOptions,
): Promise<{ client: Client; schema: string; project: number; consumer: string }> {
  const url = emptyPlace();
  await using backend = await openAt(url, { outbox });
  const schema = schemaOf(url);
  const client = await connectTo(url);
  await client.query(`ALTER TABLE "${schema}".qluster_message SET (autovacuum_enabled = false)`);
  const tasks: NewTask[] = Array.from({ length: 40_000 }, (_, n) => newTask(`t${n}`, { priority: n % 3 }));
  for (let at = 0; at < tasks.length; at += 1_000) await backend.store.submit(tasks.slice(at, at + 1_000));
  const cluster = { id: "c1", host: "web-1", pid: 1 };
  const { id: consumer } = await backend.broker.consume({ queues: ["q"], leaseMs: 600_000, cluster });
  const { rows } = await client.query<{ seq: number }>(`SELECT seq FROM "${schema}".qluster_project`);
  return { client, schema, project: rows[0]!.seq, consumer };
}

it("claims from a queue that was just filled without a look at more rows than it takes", async () => {
  const { client, schema, project, consumer } = await fullQueue();
  const sql = `SELECT seq FROM "${schema}".qluster_take($1, $2, $3, $4, $5)`;

  const nodes = await plansOf(client, sql, [project, Date.now(), consumer, ["q"], 500]);

  const scans = nodes.filter((node) => node["Relation Name"] === "qluster_message");
  const walk = scans.find((node) => node["Index Name"] === "qluster_message_free");
  expect(walk?.["Actual Rows"]).toBe(500);
  const places = scans.find((node) => node["Node Type"] === "Tid Scan");
  expect(places?.["Actual Rows"]).toBe(500);
  expect(nodes.map((node) => node["Node Type"])).not.toContain("Sort");
  expect(scans.map((node) => node["Node Type"])).not.toContain("Seq Scan");
  expect(scans.map((node) => node["Node Type"])).not.toContain("Bitmap Heap Scan");
});

it("finds again by index, also in tables that were never analysed", async () => {
  const { client, schema, project } = await fullQueue();
  const ids = Array.from({ length: 256 }, (_, n) => newTask(`t${n}`).id);
  const sql = `SELECT id FROM "${schema}".qluster_message WHERE project = $1 AND id = ANY ($2)`;

  const nodes = await plansOf(client, sql, [project, ids]);

  expect(scansOf(nodes)).not.toContain("Seq Scan");
});

const consumerOfAll = 7;
const times = { number: 1, startedAt: 1, stoppedAt: 2, worker: "w", error: null };
const attempt = { ...times, ending: "succeeded", counted: true } as const;
const settled = { attempt, id: "", followUps: [] };

/** What the backend does to messages by their numbers, as statements with their parameters. */
const byNumber: Record<string, (database: ProjectDatabase, seqs: readonly number[]) => Promise<unknown>> = {
  "ends what ended as nearly all do": (database, seqs) =>
    endSuccesses(
      database,
      consumerOfAll,
      seqs.map((receipt) => ({ ...settled, receipt, outcome: success })),
    ),
  "ends all else": (database, seqs) =>
    endPlain(
      database,
      consumerOfAll,
      seqs.map((receipt) => ({ ...settled, receipt, outcome: success })),
    ),
  "ends what leaves no record": (database, seqs) =>
    endPlain(
      database,
      consumerOfAll,
      seqs.map((receipt) => ({ ...settled, receipt, outcome: { ...success, keep: false } })),
    ),
  "ends members of flows": (database, seqs) =>
    finishMembers(
      database,
      consumerOfAll,
      seqs.map((receipt) => ({ ...settled, receipt, outcome: success })),
    ),
  "puts back what is tried again": (database, seqs) =>
    putBack(
      database,
      consumerOfAll,
      seqs.map((receipt) => ({ ...settled, receipt, outcome: { to: "retrying", delayMs: 9 } })),
    ),
  "gives back what was not started": (database, seqs) => release(database, consumerOfAll, seqs, {}),
  "removes what is acknowledged": (database, seqs) => acknowledge(database, consumerOfAll, seqs),
};
const success = { to: "succeeded", result: "1", keep: true } as const;

/** The one statement, rendered, and its parameters, that the backend sends. */
async function sentBy(work: (typeof byNumber)[string], seqs: readonly number[]): Promise<[Statement, SqlValue[]]> {
  const sent: [Statement, SqlValue[]][] = [];
  const send = (sql: Statement, parameters: readonly SqlValue[] = []): Promise<never[]> => {
    sent.push([sql, [...parameters]]);
    return Promise.resolve([]);
  };
  const first = (sql: Statement, parameters?: readonly SqlValue[]): Promise<undefined> =>
    send(sql, parameters).then(() => undefined);
  const known = { held: new Held(), takenMembers: new TakenMembers(), ahead: new ChainsAhead(), outbox: null };
  await work({ ...known, first, all: send, run: send } as unknown as ProjectDatabase, seqs);
  expect(sent).toHaveLength(1);
  return sent[0]!;
}

/** A queue of 20,000 messages, of which the consumer holds the first 256, and as many finished tasks; planned for when it was empty. */
async function grownQueue(planned: (client: Client, schema: string, project: number) => Promise<void>) {
  const url = emptyPlace();
  await using backend = await openAt(url);
  const schema = schemaOf(url);
  const client = await connectTo(url);
  await backend.store.submit([newTask("first")]);
  const { rows } = await client.query<{ seq: number }>(`SELECT seq FROM "${schema}".qluster_project`);
  const project = rows[0]!.seq;
  for (const table of ["message", "task"]) {
    await client.query(`ALTER TABLE "${schema}".qluster_${table} SET (autovacuum_enabled = false)`);
    await client.query(`ANALYZE "${schema}".qluster_${table}`);
  }
  for (let count = 0; count < 8; count++) await planned(client, schema, project);

  await client.query(
    `INSERT INTO "${schema}".qluster_task (project, id, state, finished_at, queue, priority, attempts, starts, queued_at, due_at, func,
       kind, counted, stopped_at, envelope)
     SELECT $1, 'old' || n, 'succeeded', 1, 'q', 0, 1, 1, 1, 1, 'f', 'task', 1, 1, repeat('x', 200) FROM generate_series(1, 20000) AS n`,
    [project],
  );
  const tasks = Array.from({ length: 20_000 }, (_, n) => newTask(`t${n}`));
  for (let at = 0; at < tasks.length; at += 1_000) await backend.store.submit(tasks.slice(at, at + 1_000));
  const own = await client.query<{ seq: number }>(
    `UPDATE "${schema}".qluster_message SET owner = $1 WHERE seq IN (
       SELECT seq FROM "${schema}".qluster_message ORDER BY seq LIMIT 256) RETURNING seq::int`,
    [consumerOfAll],
  );
  return { client, schema, project, seqs: own.rows.map(({ seq }) => seq) };
}

/** The most rows that any part of the plans has read, or thrown away after a comparison. */
function mostRows(nodes: readonly Plan[]): number {
  return Math.max(
    ...nodes.flatMap((node) => {
      const loops = node["Actual Loops"] ?? 1;
      const removed = [node["Rows Removed by Filter"], node["Rows Removed by Join Filter"]];
      return [node["Actual Rows"], ...removed].map((rows) => (rows ?? 0) * loops);
    }),
  );
}

describe("with plans that were made while the tables were empty", () => {
  it.each(Object.entries(byNumber))("it %s without a look at more rows than those", async (_, work) => {
    const { client, schema, project, seqs } = await grownQueue(async (early, place, number) => {
      const [{ text }, values] = await sentBy(work, [-1]);
      await early.query({ name: "early", text: rendered(text, place), values: [number, ...values] });
    });
    const [{ text }, values] = await sentBy(work, seqs);

    const nodes = await plansOf(client, rendered(text, schema), [project, ...values]);

    expect(nodes.some((node) => node["Relation Name"] === "qluster_message")).toBe(true);
    expect(mostRows(nodes)).toBeLessThanOrEqual(2 * seqs.length);
  });

  it("it queues new tasks without a look at those that are finished", async () => {
    const sql = (schema: string): string =>
      `SELECT id FROM "${schema}".qluster_submit($1, 1, false, $2, ${columnsOfOne})`;
    const many = (prefix: string, length: number): string[] => Array.from({ length }, (_, n) => `${prefix}${n}`);
    let calls = 0;
    const { client, schema, project } = await grownQueue(async (early, place, number) => {
      await early.query(sql(place), [number, many(`early${(calls += 1)}-`, 1)]);
    });

    const nodes = await plansOf(client, sql(schema), [project, many("new", 500)]);

    expect(nodes.some((node) => node["Relation Name"] === "qluster_task")).toBe(true);
    expect(mostRows(nodes)).toBeLessThanOrEqual(1_000);
  });
});

/** Of tasks that have nothing but an id: the arrays behind the ids, as long as these. */
const columnsOfOne = [
  "'q'",
  "0",
  "0::bigint",
  "NULL::bigint",
  "NULL::bigint",
  "'f'",
  "NULL::text",
  "NULL::text",
  "'task'",
  "NULL::text",
  "NULL::text",
  "NULL::text",
  "NULL::bigint",
  "'{}'",
]
  .map(
    (value) =>
      `array_fill(${value.includes("::") || value === "0" ? value : `${value}::text`}, ARRAY[cardinality($2::text[])])`,
  )
  .join(", ");

function scansOf(nodes: readonly Plan[]): string[] {
  return nodes.filter((node) => node["Relation Name"] === "qluster_message").map((node) => node["Node Type"]);
}

it("hands out what is to be sent to a broker elsewhere, and begins it, without a look at more rows than asked for", async () => {
  const apart = { aheadMs: 0, handMs: 0, resendMs: 60_000, missingMs: 30_000 };
  const { client, schema, project, consumer } = await fullQueue(apart);
  const ids = Array.from({ length: 256 }, (_, n) => newTask(`t${n}`).id);
  const own = [project, Date.now() + 1_000, consumer, apart.resendMs, apart.aheadMs];

  const handed = await plansOf(
    client,
    `SELECT seq FROM "${schema}".qluster_hand_out($1, $2, $3, $4, $5, 0, -1, $2, NULL, 500)`,
    own,
  );
  const begun = await plansOf(client, `SELECT answer FROM "${schema}".qluster_begin($1, $2, $3, $4, $5, $6)`, [
    ...own,
    ids,
  ]);

  const walk = handed.find((node) => node["Index Name"] === "qluster_message_unsent");
  expect(walk?.["Actual Rows"]).toBe(500);
  expect(handed.map((node) => node["Node Type"])).not.toContain("Sort");
  const scans = [...handed, ...begun].filter((node) => node["Relation Name"] === "qluster_message");
  expect(scans.length).toBeGreaterThan(4);
  for (const node of scans) {
    expect(node["Node Type"]).not.toBe("Seq Scan");
    expect(node["Actual Rows"]).toBeLessThanOrEqual(500);
  }
});
