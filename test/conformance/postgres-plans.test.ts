import type { Client } from "pg";
import { expect, it } from "vitest";
import type { NewTask, OutboxOptions } from "../../src/contracts/index.js";
import type { Queries } from "../../src/backends/postgres/connections.js";
import { endPlain } from "../../src/backends/postgres/end-messages.js";
import { endSuccesses } from "../../src/backends/postgres/end-successes.js";
import { rendered } from "../../src/backends/postgres/statement.js";
import { newTask } from "../../src/testing/tasks.js";
import { connectTo, emptyPlace, openAt, schemaOf } from "../support/postgres.js";

interface Plan {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly "Actual Rows"?: number;
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

/** The statement and parameters with which the backend ends the first messages. */
async function finishMany(
  end: typeof endPlain | typeof endSuccesses,
  [schema, project, consumer]: readonly [string, number, string],
): Promise<[string, unknown[]]> {
  const times = { number: 1, startedAt: 1, stoppedAt: 2, worker: "w", error: null };
  const attempt = { ...times, ending: "succeeded", counted: true } as const;
  const outcome = { to: "succeeded", result: "1", keep: true } as const;
  const messages = Array.from({ length: 256 }, (_, n) => ({ receipt: n + 1, attempt, outcome }));
  const sent: [string, unknown[]][] = [];
  const first: Queries["first"] = async ({ text }, parameters = []) => {
    sent.push([rendered(text, schema), [project, ...parameters]]);
    return undefined;
  };
  await end({ first } as Queries, Number(consumer), messages);
  return sent[0]!;
}

it.each([
  ["what ends as nearly all do", endSuccesses],
  ["all else", endPlain],
])("finishes %s by the messages' own numbers, also in a table that was never analysed", async (_, end) => {
  const { client, schema, project, consumer } = await fullQueue();
  await client.query(`SELECT count(*) FROM "${schema}".qluster_take($1, $2, $3, $4, $5)`, [
    project,
    Date.now(),
    consumer,
    ["q"],
    500,
  ]);
  await client.query(`UPDATE "${schema}".qluster_message SET owner = $1 WHERE seq <= 256`, [consumer]);

  const nodes = await plansOf(client, ...(await finishMany(end, [schema, project, consumer])));

  const scans = nodes.filter(
    (node) => node["Relation Name"] === "qluster_message" && node["Node Type"] !== "ModifyTable",
  );
  expect(scans.map((node) => node["Index Name"])).toEqual(["qluster_message_pkey"]);
});

function scansOf(nodes: readonly Plan[]): string[] {
  return nodes.filter((node) => node["Relation Name"] === "qluster_message").map((node) => node["Node Type"]);
}

it("hands out what is to be sent to a broker elsewhere, and begins it, without a look at more rows than asked for", async () => {
  const times = { aheadMs: 0, handMs: 0, resendMs: 60_000, missingMs: 30_000 };
  const { client, schema, project, consumer } = await fullQueue(times);
  const ids = Array.from({ length: 256 }, (_, n) => newTask(`t${n}`).id);
  const own = [project, Date.now() + 1_000, consumer, times.resendMs, times.aheadMs];

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
