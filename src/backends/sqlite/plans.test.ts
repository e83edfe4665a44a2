import { describe, expect, it } from "vitest";
import type { Backend } from "../../contracts/backend.js";
import { connectTo, openOn, rowsOf, temporaryFile } from "../../../test/support/sqlite-file.js";
import { flowId, member, newFlow } from "../../testing/flow/flows.js";
import { consumer, takeOne } from "../../testing/messages.js";
import { changeOf, firing, insert, newSchedule, readSchedule } from "../../testing/schedules/schedules.js";
import { failed, givenBack, newTask, succeeded } from "../../testing/tasks.js";
import { loadDriver, type SqliteDatabase } from "./driver.js";
import { openSqlite } from "./index.js";

/** A way through a table that does not get slower as the table grows, or only with what is asked for. */
const quick = /USING (COVERING )?INDEX|USING INTEGER PRIMARY KEY|USING PRIMARY KEY/;
/** Not ours: parameters, and rows that were found already. */
const harmless =
  /json_each|CONSTANT ROW|CO-ROUTINE|MATERIALIZE|LIST SUBQUERY|SCALAR SUBQUERY|SCAN e(nded)?$|\(subquery|VALUES/;

/** Statements that look at everything on purpose, each with its reason. */
const allowed: readonly RegExp[] = [
  /FROM qluster_consumer WHERE project = \?/, // as many rows as clusters
  /DELETE FROM qluster_consumer WHERE project/, // the same
  /UPDATE qluster_consumer SET expires_at = \?2 \+ lease_ms WHERE project/, // the same
  /FROM qluster_project/, // one row for each project
  /FROM qluster_schema/, // one row for each version
  /sqlite_compileoption_get/, // no table at all
  /FROM sqlite_schema/, // one row for each table
  /row_number\(\) OVER/, // only with `retention.successes` as a count, which keeps the table small
  /DELETE FROM qluster_order WHERE project = \? AND told_at/, // orders are taken within seconds
  /DELETE FROM qluster_order WHERE project = \? AND cluster/, // the same
  /FROM qluster_log WHERE project = \? AND id = \? ORDER BY at/, // sorts the lines of one task
  /INSERT INTO qluster_rollup .* GROUP BY project, queue/s, // sorts one batch by queue
  /DELETE FROM qluster_heartbeat WHERE project = \? AND expires_at/, // as many rows as clusters
  /SELECT DISTINCT cluster FROM qluster_schedule/, // only for people who look at numbers
];

describe("the statements", () => {
  it("find their rows by an index, all of them, also after an application has run ANALYZE (P255, P359, P360)", async () => {
    const location = temporaryFile();
    const statements = await everyStatement(location);
    const database = connectTo(location);
    database.exec("ANALYZE");

    const slow = statements
      .filter((sql) => !allowed.some((pattern) => pattern.test(sql)))
      .flatMap((sql) => planOf(database, sql).map((step) => ({ sql, step })))
      .filter(({ step }) => /SCAN|TEMP B-TREE/.test(step) && !quick.test(step) && !harmless.test(step));

    expect(slow).toEqual([]);
    expect(statements.length).toBeGreaterThan(50);
  });

  it("take the next messages in the index's own order, without sorting a long queue", async () => {
    const location = temporaryFile();
    const statements = await everyStatement(location);
    const database = connectTo(location);

    const claim = statements.filter((sql) => sql.includes("json_group_array"));

    expect(claim).toHaveLength(1);
    const plan = planOf(database, claim[0] ?? "").join("\n");
    expect(plan).toMatch(/USING INDEX qluster_message_free \(project=\? AND queue=\?\)/);
    expect(plan).not.toMatch(/TEMP B-TREE/);
  });
});

function planOf(database: SqliteDatabase, sql: string): string[] {
  return rowsOf<{ detail: string }>(database, `EXPLAIN QUERY PLAN ${sql}`).map(({ detail }) => detail);
}

/** Uses the whole backend once, and returns what it prepared. */
async function everyStatement(location: string): Promise<string[]> {
  const driver = await loadDriver();
  const statements = new Set<string>();
  const spying = {
    ...driver,
    open: (file: string) => {
      const database = driver.open(file);
      return { ...database, prepare: (sql: string) => (statements.add(sql), database.prepare(sql)) };
    },
  };
  const options = {
    location,
    project: "shop",
    durability: "process",
    migrate: true,
    blockMs: 20,
    retryMs: 100,
  } as const;
  await using backend = await openSqlite(options, spying);
  await useEverything(backend);
  const outbox = { aheadMs: 0, handMs: 0, resendMs: 1, missingMs: 0 };
  await using carried = await openSqlite({ ...options, outbox }, spying);
  await useOutbox(carried);
  return [...statements].filter((sql) => /SELECT|UPDATE|DELETE|INSERT/.test(sql));
}

async function useEverything(backend: Backend): Promise<void> {
  const { broker, store, cache } = backend;
  const unique = { key: "k", until: "started", forMs: 1_000 } as const;
  await store.submit(Array.from({ length: 50 }, (_, n) => newTask(`t${n}`, { group: "g", name: n < 5 ? "n" : null })));
  await store.submit([newTask("u", { unique }), newTask("later", { delayMs: 60_000 })]);
  await store.submit([newTask("t1")]);
  await broker.enqueue("q", [{ id: "e".repeat(32), envelope: "e", priority: 1, delayMs: 0 }]);
  const owner = await consumer(broker);
  await owner.renew([]);
  const one = await takeOne(owner);
  const two = await takeOne(owner);
  const three = await takeOne(owner);
  const four = await takeOne(owner);
  const five = await takeOne(owner);
  await store.finish(owner.id, [succeeded(one), failed(two)]);
  await store.finish(owner.id, [succeeded(one), givenBack()(five)]);
  await owner.acknowledge([three.receipt]);
  await owner.release([four.receipt]);
  const schedule = await insert(backend, newSchedule("s", { name: "nightly", dueAt: 1 }));
  await store.schedules.change([firing(schedule, "slot", 1)]);
  const fired = await readSchedule(backend, schedule.id);
  await store.schedules.change([changeOf(fired, { definition: fired })]);
  await store.schedules.due({ clusters: [null], limit: 10 });
  await store.schedules.runs(fired.id, { limit: 10 });
  await store.schedules.list({ limit: 10 });
  await store.schedules.counts(10);
  await store.schedules.change([changeOf(await readSchedule(backend, schedule.id), { progress: null })]);
  await store.cancel(five.id);
  await store.cancel(newTask("later").id);
  await store.get([one.id]);
  await store.finished([one.id]);
  await store.findByName("n");
  await store.findByName("red-green-blue-pink");
  await store.attempts(one.id);
  await store.group("g", { which: "succeeded" });
  await store.countGroup("g", "all");
  await store.report([{ id: one.id, at: 1, log: "x", progress: { done: 1, total: 2, note: null } }]);
  await store.notes(one.id);
  await store.tell("c", { order: "stop" });
  await store.inbox("c");
  await store.clusters();
  await store.counts(10);
  await store.throughput(0);
  const limits = { successesMs: 1, failuresMs: 1, successesCount: 1, per: "func", groupMs: 0 } as const;
  await store.clean(limits);
  await store.deleteGroup("g", { tasks: false });
  await store.deleteGroup("g", { tasks: true });
  await broker.list("q", { limit: 2 });
  await broker.queueSize();
  await broker.queueSize("q");
  await broker.lockSize("q");
  await broker.purge("q");
  await broker.deleteQueue("q");
  await cache.set("k", "v", 1_000);
  await cache.get("k");
  await cache.setIf("k", null, "w", null);
  await cache.addMembers("s", ["a"], 1_000);
  await cache.members("s");
  await cache.delete("k");
  await useFlows({ store, broker });
  await owner.close();
}

async function useFlows({
  store,
  broker,
}: Pick<Awaited<ReturnType<typeof openOn>>, "store" | "broker">): Promise<void> {
  const { flows } = store;
  if (flows === undefined) throw new Error("SQLite keeps flows.");
  const owner = await consumer(broker);
  const runOne = async (end = succeeded): Promise<unknown> => await store.finish(owner.id, [end(await takeOne(owner))]);
  await flows.open(newFlow("chain", { steps: [1, 1] }), [member(0), member(1, { before: true })]);
  await runOne();
  await runOne(failed);
  await flows.resume(flowId, 1, [member(1, { run: 1, before: true })], null);
  await flows.find([flowId]);
  await flows.members(flowId);
  await flows.outcomes(flowId, 0, 10);
  await store.cancel(flowId);
  const batch = "b".repeat(32);
  await flows.open(newFlow("batch", { id: batch, steps: [2], expiresMs: 1 }), []);
  await store.submit([newTask("joins", { member: { flow: batch, place: null, run: 0 } })]);
  const iter = "c".repeat(32);
  await flows.open(newFlow("iter", { id: iter }), []);
  await store.submit([newTask("e", { member: { flow: iter, place: 0, run: 0 } })]);
  await flows.close(iter, 1);
  await store.cancel(iter);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await store.clean({ successesMs: 0, failuresMs: 0, successesCount: null, per: null, groupMs: 0 });
  await owner.close();
}

async function useOutbox({ store, outbox }: Awaited<ReturnType<typeof openOn>>): Promise<void> {
  const cluster = { id: "c", host: "h", pid: 1 };
  const hold = await outbox!.hold({ queues: ["q"], leaseMs: 60_000, cluster });
  const unique = { key: "k", until: "started", forMs: null } as const;
  await store.submit([newTask("s1"), newTask("s2"), newTask("s3")]);
  await store.submit([newTask("s4", { unique })]);
  const { messages } = await hold.unsent(10);
  await outbox!.sent(messages.map(({ id }) => id));
  await hold.missing("q", 10);
  const begun = await hold.begin([...messages.map(({ id }) => id), "0".repeat(32)]);
  const [one, two] = begun.flatMap((answer) => (answer.as === "begun" ? [answer.delivery] : []));
  await store.finish(hold.id, [givenBack()(one!)]);
  await hold.release([two!.receipt]);
  await hold.close();
}
