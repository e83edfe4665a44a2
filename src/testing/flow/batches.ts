import assert from "node:assert/strict";
import type { Backend } from "../../contracts/backend.js";
import { consumer, atOnce } from "../messages.js";
import { openEmpty, type Suite } from "../suite.js";
import { failed, finishOne, newTask, succeeded, succeededUnkept } from "../tasks.js";
import { called, flowsOf, joining, newFlow, runWaiting, takeWaiting, theFlow } from "./flows.js";

/** So many tasks, whoever enqueues them. */
export function batchPromises(suite: Suite): void {
  const { it } = suite;
  suite.describe("batches", () => {
    it("end when so many members have ended, whatever is kept of them (P131)", async () => {
      await using backend = await openEmpty(suite);
      await openBatch(backend, 3);
      await backend.store.submit([joining("a"), joining("b")]);
      await runWaiting(backend, succeededUnkept);
      assert.equal((await theFlow(backend)).state, "open");

      await backend.store.submit([joining("c")]);
      await runWaiting(backend);

      const { state, done } = await theFlow(backend);
      assert.deepEqual([state, done], ["succeeded", 3]);
      assert.deepEqual(await called(backend), ["core.tasks.done"]);
    });

    it("end at once when they have no members (P131)", async () => {
      await using backend = await openEmpty(suite);

      await openBatch(backend, 0);

      assert.equal((await theFlow(backend)).state, "succeeded");
      assert.deepEqual(await called(backend), ["core.tasks.done"]);
    });

    it("count a member that ran in the caller's process (P131)", async () => {
      await using backend = await openEmpty(suite);
      await openBatch(backend, 2);
      const task = joining("a");
      const outcome = { to: "succeeded", result: "1", keep: false } as const;

      await backend.store.saveFinished(task, { id: task.id, attempt: null, outcome, followUps: [] });
      await backend.store.saveFinished(task, { id: task.id, attempt: null, outcome, followUps: [] });
      await backend.store.submit([joining("b")]);
      await runWaiting(backend);

      assert.equal((await theFlow(backend)).state, "succeeded");
    });

    it("fail when one member did (P131)", async () => {
      await using backend = await openEmpty(suite);
      await openBatch(backend, 2);
      await backend.store.submit([joining("a"), joining("b")]);
      const [owner, [first, second]] = await takeWaiting(backend);

      await finishOne(backend, owner, failed(first!));
      await finishOne(backend, owner, succeeded(second!));

      const { state, error } = await theFlow(backend);
      assert.equal(state, "failed");
      assert.match(error?.message ?? "", /^1 of 2 tasks of the batch failed; /);
      await owner.close();
    });

    it("count a member once that is submitted again, also after it left no record (P127)", async () => {
      await using backend = await openEmpty(suite);
      await openBatch(backend, 2);
      await backend.store.submit([joining("a"), joining("a")]);
      await runWaiting(backend, succeededUnkept);

      const again = await backend.store.submit([joining("a"), joining("a")]);

      assert.deepEqual(
        again.map(({ created }) => created),
        [false, false],
      );
      assert.deepEqual(await runWaiting(backend), []);
      assert.equal((await theFlow(backend)).done, 1);
    });

    it("refuse more members than they have places for, and nothing of that submit is stored", async () => {
      await using backend = await openEmpty(suite);
      await openBatch(backend, 2);
      await backend.store.submit([joining("a")]);

      await assert.rejects(backend.store.submit([newTask("other"), joining("b"), joining("c")]), {
        code: "QLUSTER_FLOW",
      });

      assert.deepEqual(await runWaiting(backend), ["a"]);
      await backend.store.submit([joining("b")]);
      assert.deepEqual(await runWaiting(backend), ["b"]);
    });

    it("answer a repeated submit after their end as before", async () => {
      await using backend = await openEmpty(suite);
      await openBatch(backend, 1);
      await backend.store.submit([joining("a")]);
      await runWaiting(backend);

      assert.deepEqual(
        (await backend.store.submit([joining("a")])).map(({ created }) => created),
        [false],
      );
      await assert.rejects(backend.store.submit([joining("b")]), { code: "QLUSTER_FLOW" });
    });

    it("end once when two clusters finish the last members at the same moment (P131)", async () => {
      await using backend = await openEmpty(suite);
      await openBatch(backend, 40);
      await backend.store.submit(Array.from({ length: 40 }, (_, n) => joining(`t${n}`)));
      const one = await consumer(backend.broker);
      const other = await consumer(backend.broker);
      const mine = await one.take({ max: 20, waitMs: 0 });
      const theirs = await other.take(atOnce);

      await Promise.all([
        ...mine.map((delivery) => backend.store.finish(one.id, [succeeded(delivery)])),
        ...theirs.map((delivery) => backend.store.finish(other.id, [succeeded(delivery)])),
      ]);

      assert.equal((await theFlow(backend)).done, 40);
      assert.deepEqual(await called(backend), ["core.tasks.done"]);
    });
  });
}

async function openBatch(backend: Backend, size: number): Promise<void> {
  await flowsOf(backend).open(newFlow("batch", { steps: [size], stops: false, name: "nightly" }), []);
}
