import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { backends } from "../../test/support/backends.js";
import { testConfig } from "../../test/support/each-queue.js";
import { secret } from "../../test/support/run-queued.js";
import { ClosedError, ConfigError } from "../errors.js";
import { Connection } from "./connection.js";
import { createQluster } from "./create-qluster.js";
import { link } from "./link.js";
import { task } from "./task.js";

const double = task("client.double", (n: number) => n * 2);

describe.each(backends)("close, on %s,", (_, open) => {
  it("ends waits, writes what was accepted, and refuses the rest", async () => {
    const { backend, remove } = await open();
    const q = createQluster(testConfig, { backend, env: {} });
    const waiting = q.result("0".repeat(32), { wait: Infinity });
    const accepted = q.asyncTask(double, 1);

    await q.close();

    await expect(waiting).rejects.toThrow(ClosedError);
    await expect(accepted).resolves.toMatch(/^[0-9a-f]{32}$/);
    await expect(q.asyncTask(double, 1)).rejects.toThrow(ClosedError);
    await expect(q.result("x")).rejects.toThrow(ClosedError);
    await expect(q.queueSize()).rejects.toThrow(ClosedError);
    await remove();
  });
});

describe("close, while a schema still looks at the arguments,", () => {
  it.each(["asyncTask", "asyncTasks"] as const)("waits for %s, whose task it then writes", async (verb) => {
    const folder = await mkdtemp(join(tmpdir(), "qluster-close-"));
    const stored = { name: "shop", database: "sqlite:q.db", root: folder };
    let look = (): void => {};
    const looked = new Promise<void>((resolve) => (look = resolve));
    const slow = task(`client.slow.${verb}`, (n) => n, {
      input: z.tuple([z.number().refine(async () => (await looked, true))]),
    });
    const q = createQluster(stored, { env: {} });

    const accepted = verb === "asyncTask" ? q.asyncTask(slow, 1) : q.asyncTasks([link(slow, 1), link(slow, 2)]);
    const closed = q.close();
    look();
    await Promise.all([accepted, closed]);

    await using reader = createQluster(stored, { env: {} });
    expect(await reader.queueSize()).toBe(verb === "asyncTask" ? 1 : 2);
    await rm(folder, { recursive: true, force: true });
  });
});

describe("a closed connection", () => {
  it("is not opened again by what comes too late", async () => {
    let opened = 0;
    const connection = new Connection(async () => (opened += 1) as never);
    connection.refuse();
    await connection.close();

    expect(() => connection.draining()).toThrow(ClosedError);
    expect(opened).toBe(0);
  });
});

describe("createQluster", () => {
  it("refuses a bad configuration at once", () => {
    expect(() => createQluster({ name: "shop", database: "", workrs: 1 } as never, { env: {} })).toThrow(ConfigError);
  });

  it("opens nothing before the first verb", async () => {
    const q = createQluster({ name: "shop", database: "sqlite:/nowhere/at/all/q.db", secret }, { env: {} });

    await expect(q.close()).resolves.toBeUndefined();
  });

  it("makes the embedded database and its secret, so that nothing else has to be set up (P001)", async () => {
    const folder = await mkdtemp(join(tmpdir(), "qluster-embedded-"));
    const three = { name: "shop", database: "sqlite:data/q.db", root: folder, sync: true };
    try {
      await using producer = createQluster(three, { env: {} });
      await using reader = createQluster(three, { env: {} });

      const id = await producer.asyncTask(double, 21);

      expect(await reader.result(id)).toBe(42);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("lets two queues of other databases live in one process (P058)", async () => {
    await using one = createQluster({ ...testConfig, database: "memory:one" }, { env: {} });
    await using other = createQluster({ ...testConfig, database: "memory:other" }, { env: {} });

    await one.asyncTask(double, 1);

    expect([await one.queueSize(), await other.queueSize()]).toEqual([1, 0]);
  });
});
