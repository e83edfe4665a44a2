import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.js";
import { eachQueue, testConfig } from "../../test/support/each-queue.js";
import { runQueued } from "../../test/support/run-queued.js";
import type { Backend } from "../contracts/backend.js";
import { humanName } from "../core/ids.js";
import { TaskFailedError } from "../errors.js";
import { createQluster } from "./create-qluster.js";
import { task } from "./task.js";
import type { Qluster } from "./types.js";

const double = task("client.double", (n: number) => n * 2);
const echo = task("client.echo", (value: unknown) => value);
const fail = task("client.fail", (message: string) => {
  throw new TypeError(message);
});

describe.each(backends)("reading on %s", (_, open) => {
  let backend: Backend;
  let q: Qluster;
  eachQueue(open, (fresh) => ({ q, backend } = fresh));

  describe("result and fetch", () => {
    it("give nothing before the task has finished (P101)", async () => {
      const id = await q.asyncTask(double, 1);

      expect(await q.result(id)).toBeUndefined();
      expect(await q.fetch(id)).toBeUndefined();
    });

    it.each([[[]], [0], [""], [false], [null]])(
      "end the wait for %j, as it is a result (P105, P106)",
      async (value) => {
        const id = await q.asyncTask(echo, value);
        const waiting = q.result(id, { wait: "20s" });
        await runQueued(backend);

        expect(await waiting).toEqual(value);
      },
    );

    it("tell a task that returned nothing from one that has not finished (P106)", async () => {
      const id = await q.asyncTask(echo, undefined);
      const before = await q.fetch(id);
      await runQueued(backend);

      expect(before).toBeUndefined();
      expect(await q.fetch(id)).toMatchObject({ success: true, result: undefined });
    });

    it("wait until the time is up, and no longer (P102)", async () => {
      const id = await q.asyncTask(double, 1);
      const start = performance.now();

      const answer = await q.result(id, { wait: 60 });

      expect(answer).toBeUndefined();
      expect(performance.now() - start).toBeGreaterThanOrEqual(59);
    });

    it.each([[Infinity], [-1]])("wait for as long as it takes with %d (P102)", async (wait) => {
      const id = await q.asyncTask(double, 2);
      const waiting = q.result(id, { wait });
      await runQueued(backend);

      expect(await waiting).toBe(4);
    });

    it("give the whole record, with waiting and running apart (P108, P115)", async () => {
      const id = await q.asyncTask(double.with({ group: "g", taskName: "twice" }), 21);
      await runQueued(backend);

      const record = await q.fetch(id);

      expect(record).toEqual({
        id,
        name: "twice",
        func: "client.double",
        args: [21],
        group: "g",
        queue: "test",
        attempts: 1,
        success: true,
        result: 42,
        error: undefined,
        queuedAt: expect.any(Date),
        startedAt: expect.any(Date),
        stoppedAt: expect.any(Date),
      });
    });

    it("know how long the last attempt ran, and read as their name; as data they have neither (P357)", async () => {
      const id = await q.asyncTask(double.with({ taskName: "twice" }), 21);
      await runQueued(backend);

      const record = await q.fetch(id);

      expect(record?.timeTaken()).toBe(record!.stoppedAt.getTime() - record!.startedAt.getTime());
      expect(String(record)).toBe("twice");
      expect(Object.keys(record!)).not.toContain("timeTaken");
    });

    it("find a task by the words made from its id, and by a given name the newest (P063, P103, P104)", async () => {
      const named = await q.asyncTask(double, 1);
      await q.asyncTask(double.with({ taskName: "nightly" }), 2);
      await runQueued(backend);
      const newer = await q.asyncTask(double.with({ taskName: "nightly" }), 3);
      await runQueued(backend);

      expect((await q.fetch(humanName(named)))?.id).toBe(named);
      expect((await q.fetch("nightly"))?.id).toBe(newer);
      expect(await q.result("nightly")).toBe(6);
      expect(await q.fetch("nobody")).toBeUndefined();
    });

    it("take 32 hexadecimal digits for a name when no task has that id (P103)", async () => {
      const name = "0123456789abcdef0123456789abcdef";
      const id = await q.asyncTask(double.with({ taskName: name }), 5);
      await runQueued(backend);

      expect((await q.fetch(name))?.id).toBe(id);
    });

    it("throw what went wrong, with the task's own error as cause (P107, P302)", async () => {
      const id = await q.asyncTask(fail, "no such review");
      await runQueued(backend);

      const error = await q.result(id).catch((thrown: unknown) => thrown);

      expect(error).toBeInstanceOf(TaskFailedError);
      expect(error).toMatchObject({
        message: `Task client.fail (${id}) failed after 1 attempt: TypeError: no such review`,
        id,
        func: "client.fail",
        state: "failed",
        attempts: 1,
        error: { name: "TypeError", message: "no such review", stack: expect.stringContaining("reading.test") },
        cause: { name: "TypeError", message: "no such review" },
      });
      expect(await q.fetch(id)).toMatchObject({
        success: false,
        result: undefined,
        error: { message: "no such review" },
      });
    });

    it("throw for a cancelled task (P098)", async () => {
      const id = await q.asyncTask(double, 1);

      const answer = await q.cancel(id);

      expect(answer).toBe("cancelled");
      await expect(q.result(id)).rejects.toMatchObject({ state: "cancelled" });
      expect(await q.cancel(id)).toBe("finished");
      expect((await q.status(id))?.state).toBe("cancelled");
    });

    it("stop waiting when the signal says so", async () => {
      const id = await q.asyncTask(double, 1);
      const stop = new AbortController();
      const waiting = q.result(id, { wait: Infinity, signal: stop.signal });

      stop.abort(new Error("the client went away"));

      await expect(waiting).rejects.toThrow("the client went away");
      await expect(q.result(id, { wait: "1s", signal: stop.signal })).rejects.toThrow("the client went away");
    });

    it.each<[string, () => Promise<unknown>, RegExp]>([
      ["a bad wait", () => q.result("x", { wait: "5 min" as never }), /wait/],
      [
        "an unknown option",
        () => q.result("x", { cashed: true } as never),
        /no option "cashed" of a look-up\. Known are: wait, signal, cached/,
      ],
      [
        "a signal that is none",
        () => q.fetch("x", { signal: {} as never }),
        /option signal is \{\}; expected an AbortSignal/,
      ],
      ["no id", () => q.result(undefined as never), /first argument is undefined; expected the id/],
      ["an empty id for status", () => q.status(""), /id is ""/],
    ])("refuse %s", async (__, attempt, message) => {
      await expect(attempt()).rejects.toThrow(message);
    });
  });

  describe("status", () => {
    it("tells where a task stands (P100)", async () => {
      const id = await q.asyncTask(double, 1);
      const queued = await q.status(id);
      await runQueued(backend);
      const done = await q.status(id);

      expect(queued).toMatchObject({ state: "queued", attempts: 0, startedAt: undefined, stoppedAt: undefined });
      expect(done).toMatchObject({ state: "succeeded", attempts: 1, startedAt: expect.any(Date) });
      expect(await q.status("unknown")).toBeUndefined();
      expect(await q.attempts(id)).toMatchObject([{ number: 1, ending: "succeeded", counted: true }]);
    });
  });

  it("reads nothing that was sealed with another secret", async () => {
    const stranger = createQluster({ ...testConfig, secret: "another secret altogether" }, { backend, env: {} });
    const id = await q.asyncTask(double, 1);
    await runQueued(backend);

    await expect(stranger.result(id)).rejects.toMatchObject({ code: "QLUSTER_ENVELOPE" });
    await expect(stranger.fetch(id)).rejects.toMatchObject({ code: "QLUSTER_ENVELOPE" });
  });
});
