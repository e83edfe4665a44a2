import { describe, expect, it } from "vitest";
import { memoryBackend } from "../backends/memory/index.js";
import { runQueued, secret } from "../../test/support/run-queued.js";
import { createQluster } from "./create-qluster.js";
import { task } from "./task.js";
import { TaskFailedError } from "../errors.js";

const config = { name: "test", database: "memory:", secret };

describe("createQluster", () => {
  it("queues a task, and gives its result once it has run (P059, P101)", async () => {
    const backend = memoryBackend();
    const q = createQluster(config, { backend });
    const double = task("client.double", (n: number) => n * 2);

    const id = await q.asyncTask(double, 21);
    const before = await q.result(id);
    await runQueued(backend);
    const after = await q.result(id);

    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(before).toBeUndefined();
    expect(after).toBe(42);
  });

  it("throws what went wrong when the task failed", async () => {
    const backend = memoryBackend();
    const { asyncTask, result } = createQluster(config, { backend });
    const fail = task("client.fail", () => {
      throw new TypeError("no such review");
    });

    const id = await asyncTask(fail);
    const waiting = result(id, { wait: "5s" });
    await runQueued(backend);

    await expect(waiting).rejects.toThrow(TaskFailedError);
    await expect(waiting).rejects.toMatchObject({
      attempts: 1,
      error: { name: "TypeError", message: "no such review" },
    });
  });
});
