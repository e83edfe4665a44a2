import assert from "node:assert/strict";
import { consumer, idOf, takeOne } from "../messages.js";
import { itIf, openEmpty, type Suite } from "../suite.js";
import { attemptOf, failed, hookOf, newTask, retrying, runTask, succeeded, succeededUnkept } from "../tasks.js";

/** Counts and rates. */
export function numberPromises(suite: Suite): void {
  countPromises(suite);
  throughputPromises(suite);
}

function countPromises(suite: Suite): void {
  const { describe, it } = suite;

  describe("counts", () => {
    it("are exact while small: waiting, held, succeeded, and failed with all other ends", async () => {
      await using backend = await openEmpty(suite);
      await runTask(backend, newTask("s1"));
      await runTask(backend, newTask("f1"), failed);
      await backend.store.submit([newTask("c1")]);
      await backend.store.cancel(idOf("c1"));
      await runTask(backend, newTask("retried"), retrying(60_000));
      await backend.store.submit([newTask("held"), newTask("w1"), newTask("w2", { delayMs: 60_000 })]);
      await takeOne(await consumer(backend.broker));

      assert.deepEqual(await backend.store.counts(100), { queued: 3, running: 1, succeeded: 1, failed: 2 });
    });

    it("stop counting one above the cap (P360)", async () => {
      await using backend = await openEmpty(suite);
      await backend.store.submit(Array.from({ length: 20 }, (_, index) => newTask(`t${index}`)));
      const owner = await consumer(backend.broker);
      const taken = await owner.take({ max: 12, waitMs: 0 });
      const ended = taken.slice(0, 6).map((delivery) => succeeded(delivery));
      await backend.store.finish(owner.id, ended);

      assert.deepEqual(await backend.store.counts(5), { queued: 6, running: 6, succeeded: 6, failed: 0 });
      assert.deepEqual(await backend.store.counts(6), { queued: 7, running: 6, succeeded: 6, failed: 0 });
    });

    it("leave out hooks, waiting and finished", async () => {
      await using backend = await openEmpty(suite);
      await runTask(backend, hookOf("a"));
      await backend.store.submit([hookOf("b")]);

      assert.deepEqual(await backend.store.counts(100), { queued: 0, running: 0, succeeded: 0, failed: 0 });
    });
  });
}

function throughputPromises(suite: Suite): void {
  const { describe, it, clock } = suite;

  describe("throughput", () => {
    it("adds up finished tasks and their run times by queue, also those that left no record", async () => {
      await using backend = await openEmpty(suite);
      const since = await backend.store.now();
      await runTask(backend, newTask("s1"), (taken) =>
        succeeded(taken, { attempt: attemptOf(taken, { startedAt: since, stoppedAt: since + 40 }) }),
      );
      await runTask(backend, newTask("s2"), succeededUnkept);
      await runTask(backend, newTask("f1"), failed);
      await runTask(backend, newTask("m1", { queue: "media" }));

      const rollups = await backend.store.throughput(since);

      const total = (queue: string): number[] => {
        const own = rollups.filter((rollup) => rollup.queue === queue);
        return (["succeeded", "failed", "busyMs"] as const).map((key) => own.reduce((sum, one) => sum + one[key], 0));
      };
      assert.deepEqual(
        [total("q"), total("media")],
        [
          [2, 1, 50],
          [1, 0, 5],
        ],
      );
      for (const { minute } of rollups) assert.equal(minute % 60_000, 0);
    });

    it("counts neither retries nor hooks", async () => {
      await using backend = await openEmpty(suite);
      const since = await backend.store.now();
      await runTask(backend, newTask("t"), retrying(60_000));
      await runTask(backend, hookOf("a"));

      const counted = (await backend.store.throughput(since)).filter((rollup) => rollup.succeeded + rollup.failed > 0);

      assert.deepEqual(counted, []);
    });

    itIf(
      suite,
      clock.isManual,
      "it would wait for minutes",
    )("counts each task in the minute of its end", async () => {
      await using backend = await openEmpty(suite);
      const start = Math.floor((await backend.store.now()) / 60_000) * 60_000;
      await runTask(backend, newTask("a"));
      await clock.advance(120_000);
      await runTask(backend, newTask("b"), failed);
      await runTask(backend, newTask("c", { queue: "media" }));

      const rollups = await backend.store.throughput(start);

      const lines = rollups.map(
        ({ minute, queue, ...sums }) => `${minute - start} ${queue} ${sums.succeeded}:${sums.failed}`,
      );
      assert.deepEqual(lines.toSorted(), ["0 q 1:0", "120000 media 1:0", "120000 q 0:1"]);
      assert.equal(lines[0], "0 q 1:0");
      assert.equal((await backend.store.throughput(start + 61_000)).length, 2);
    });

    it("starts with the whole minute of `since`, and leaves out those before", async () => {
      await using backend = await openEmpty(suite);
      await runTask(backend, newTask("t"));
      const now = await backend.store.now();
      await clock.advance(10);

      const sinceThen = await backend.store.throughput(now);
      const sinceLater = await backend.store.throughput(now + 120_000);

      assert.equal(sinceThen.length, 1);
      assert.deepEqual(sinceLater, []);
    });
  });
}
