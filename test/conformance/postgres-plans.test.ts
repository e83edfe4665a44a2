import type { Client } from "pg";
import { expect, it } from "vitest";
import type { NewTask } from "../../src/contracts/index.js";
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
async function fullQueue(): Promise<{ client: Client; schema: string; project: number; consumer: string }> {
  const url = emptyPlace();
  await using backend = await openAt(url);
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
  expect(nodes.map((node) => node["Node Type"])).not.toContain("Sort");
  expect(scans.map((node) => node["Node Type"])).not.toContain("Seq Scan");
  expect(scans.map((node) => node["Node Type"])).not.toContain("Bitmap Heap Scan");
});

it("finishes and finds again by index, also in tables that were never analysed", async () => {
  const { client, schema, project } = await fullQueue();
  const ids = Array.from({ length: 256 }, (_, n) => newTask(`t${n}`).id);
  const statements: [sql: string, values: unknown[]][] = [
    [
      `DELETE FROM "${schema}".qluster_message m USING unnest($3::bigint[]) AS f (seq)
       WHERE m.seq = f.seq AND m.project = $1 AND coalesce(m.owner, 0) = $2`,
      [project, 1, Array.from({ length: 256 }, (_, n) => n + 1)],
    ],
    [`SELECT id FROM "${schema}".qluster_message WHERE project = $1 AND id = ANY ($2)`, [project, ids]],
  ];

  for (const [sql, values] of statements) {
    const nodes = await plansOf(client, sql, values);
    const scans = nodes.filter((node) => node["Relation Name"] === "qluster_message");
    expect(scans.map((node) => node["Node Type"])).not.toContain("Seq Scan");
  }
});
