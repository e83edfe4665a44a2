import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.js";
import { secret } from "../../test/support/run-queued.js";
import { ClosedError, ConfigError } from "../errors.js";
import { createQluster } from "./create-qluster.js";
import { task } from "./task.js";

const config = { name: "test", database: "memory:", secret, logLevel: "silent" } as const;
const double = task("client.double", (n: number) => n * 2);

describe.each(backends)("close, on %s,", (_, open) => {
  it("ends waits, writes what was accepted, and refuses the rest", async () => {
    const { backend, remove } = await open();
    const q = createQluster(config, { backend, env: {} });
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
    await using one = createQluster({ ...config, database: "memory:one" }, { env: {} });
    await using other = createQluster({ ...config, database: "memory:other" }, { env: {} });

    await one.asyncTask(double, 1);

    expect([await one.queueSize(), await other.queueSize()]).toEqual([1, 0]);
  });
});
