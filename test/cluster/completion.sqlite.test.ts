import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ref } from "qluster";
import { openOn, temporaryFile } from "../support/sqlite-file.js";
import { createQluster, currentTask, task } from "../../src/index.js";
import { until, workshop, type Workshop } from "../support/workshop.js";

/** Each writes an effect and completes itself in one transaction on the file that the tasks are in. */
const tasks = `
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
const require = createRequire(${JSON.stringify(join(import.meta.dirname, "x.js"))});
const Sqlite = process.getBuiltinModule("node:sqlite")?.DatabaseSync ?? require("libsql");
const open = () => {
  const db = new Sqlite(fileURLToPath(new URL("./q.db", import.meta.url)));
  db.exec("PRAGMA busy_timeout = 10000; CREATE TABLE IF NOT EXISTS effect (label TEXT)");
  return db;
};
const die = () => { process.kill(process.pid, "SIGKILL"); while (true) {} };

export async function transfer(label, how, then = "return") {
  started(label);
  const db = open();
  const first = currentTask().attempt === 1;
  db.exec("BEGIN IMMEDIATE");
  try {
    db.prepare("INSERT INTO effect VALUES (?)").run(label);
    await currentTask().completeIn(db, "done " + label);
    if (how === "twice") await currentTask().completeIn(db, "again");
    if (how === "dies" && first) die();
    if (how === "holds") await sleep(1_500);
    if (how === "rolls back" && first) throw new Error("not yet");
    db.exec("COMMIT");
  } catch (error) {
    db.exec("ROLLBACK");
    db.close();
    throw error;
  }
  db.close();
  if (then === "throw") throw new Error("too late");
  if (then === "die") die();
  if (then === "hang") await sleep(600_000);
  return "ignored";
}

export async function overtaken(label) {
  started(label);
  const db = open();
  const runs = db.prepare("SELECT count(*) AS n FROM effect").all().length;
  if (currentTask().attempt === 1 && !globalThis.overtaken) {
    globalThis.overtaken = true;
    db.exec("UPDATE qluster_message SET owner = NULL WHERE owner > 0; DELETE FROM qluster_consumer");
  }
  db.exec("BEGIN IMMEDIATE");
  try {
    db.prepare("INSERT INTO effect VALUES (?)").run(label);
    await currentTask().completeIn(db, "done " + label);
    db.exec("COMMIT");
  } catch (error) {
    trace("refused " + error.code);
    db.exec("ROLLBACK");
    throw error;
  } finally {
    db.close();
  }
}
`;

describe("a task that completes itself in its own transaction", () => {
  it.each([
    ["returns", "return"],
    ["throws", "throw"],
    ["is killed before it could report", "die"],
    ["runs into its time-out", "hang"],
  ])("has succeeded once it has committed, although it then %s", async (_, then) => {
    await using shop = await workshop({ timeout: "2s" }, tasks);
    const cluster = await shop.cluster();

    const id = await shop.q.asyncTask(ref("jobs.transfer", { hook: "jobs.hook", group: "g" }), "a", "commits", then);

    expect(await shop.q.result(id, { wait: "20s" })).toBe("done a");
    await cluster.says(/Processed/);
    await until(() => shop.trace().some((line) => line.startsWith(`hook ${id} true done a`)), "the hook");
    expect(await shop.q.attempts(id)).toMatchObject([{ number: 1, ending: "succeeded", counted: true }]);
    expect(await shop.q.countGroup("g")).toBe(1);
    expect(await effects(shop)).toEqual(["a"]);
    expect(shop.trace().filter((line) => line.startsWith("start a"))).toHaveLength(1);
    expect(cluster.log.filter((line) => /Failed/.test(line.msg))).toEqual([]);
  });

  it("runs again when its worker is killed before the commit, and its effect is there once", async () => {
    await using shop = await workshop({}, tasks);
    await shop.cluster();

    const id = await shop.q.asyncTask("jobs.transfer", "a", "dies");

    expect(await shop.q.result(id, { wait: "20s" })).toBe("done a");
    expect(await shop.q.attempts(id)).toMatchObject([{ ending: "died" }, { ending: "succeeded" }]);
    expect(await effects(shop)).toEqual(["a"]);
  });

  it("is retried when its transaction was rolled back", async () => {
    await using shop = await workshop({}, tasks);
    await shop.cluster();

    const id = await shop.q.asyncTask("jobs.transfer", "a", "rolls back");

    expect(await shop.q.result(id, { wait: "20s" })).toBe("done a");
    expect(await shop.q.attempts(id)).toMatchObject([
      { ending: "error", error: { message: "not yet" } },
      { ending: "succeeded" },
    ]);
    expect(await effects(shop)).toEqual(["a"]);
  });

  it("is told when its lease was taken over before the commit, and rolls back", async () => {
    await using shop = await workshop({ workers: 1 }, tasks);
    await shop.cluster();

    const id = await shop.q.asyncTask("jobs.overtaken", "a");

    expect(await shop.q.result(id, { wait: "30s" })).toBe("done a");
    expect(shop.trace().filter((line) => line.startsWith("refused"))).toEqual(["refused QLUSTER_LEASE_LOST"]);
    expect(await effects(shop)).toEqual(["a"]);
  });

  it("is told when it does so twice in one transaction", async () => {
    await using shop = await workshop({ attempts: 1 }, tasks);
    await shop.cluster();

    const id = await shop.q.asyncTask("jobs.transfer", "a", "twice");

    await expect(shop.q.result(id, { wait: "20s" })).rejects.toThrow(/called twice in one transaction/);
    expect(await effects(shop)).toEqual([]);
  });

  it("leaves no record with `save: false`, and counts as done all the same", async () => {
    await using shop = await workshop({}, tasks);
    const cluster = await shop.cluster();

    const id = await shop.q.asyncTask(ref("jobs.transfer", { save: false }), "a", "commits");

    await cluster.says(/Processed/);
    expect(await shop.q.status(id)).toBeUndefined();
    expect(await effects(shop)).toEqual(["a"]);
  });

  it("is warned about when it keeps the only write lock for long", async () => {
    await using shop = await workshop({}, tasks);
    const cluster = await shop.cluster();

    const id = await shop.q.asyncTask("jobs.transfer", "a", "holds");

    await cluster.says(/has held the only write lock of the database for 1 s since completeIn/);
    expect(await shop.q.result(id, { wait: "20s" })).toBe("done a");
  });

  it.each(["thread", "none"] as const)("does so with isolation %s as well", async (isolation) => {
    await using shop = await workshop({ isolation }, tasks);
    await shop.cluster();

    const id = await shop.q.asyncTask("jobs.transfer", "a", "commits", "throw");

    expect(await shop.q.result(id, { wait: "20s" })).toBe("done a");
    expect(await effects(shop)).toEqual(["a"]);
  });

  it("is refused in sync mode, which has no lease", async () => {
    const backend = await openOn(temporaryFile(), { project: "test" });
    const config = { name: "test", database: "memory:", secret: "a secret for tests that is long enough" };
    await using q = createQluster(config, { root: import.meta.dirname, env: {}, backend });
    const inSync = task("completion.sync", async () => await currentTask()!.completeIn({}, 1), { sync: true });

    await expect(q.asyncTask(inSync)).rejects.toThrow(/In sync mode there is no lease/);
  });
});

async function effects(shop: Workshop): Promise<string[]> {
  const { openDriver } = await import("../../src/backends/sqlite/driver.js");
  const db = await openDriver(join(shop.folder, "q.db"));
  try {
    return db
      .prepare("SELECT label FROM effect")
      .all<{ label: string }>([])
      .map(({ label }) => label);
  } finally {
    db.close();
  }
}
