import assert from "node:assert/strict";
import type { Settlement } from "../../contracts/store.js";
import { atOnce, consumer, idOf } from "../messages.js";
import { openEmpty, type Suite } from "../suite.js";
import { errorRecord, hookOf, newTask, runTask, stateOf, stored } from "../tasks.js";

const error = errorRecord("It failed.");

function ran(id: string, options: Partial<Settlement> = {}): Omit<Settlement, "receipt"> {
  const attempt = { number: 1, ending: "succeeded", counted: true, startedAt: 1_000, stoppedAt: 1_250 } as const;
  return {
    id,
    attempt: { ...attempt, worker: "web-1:1", error: null },
    outcome: { to: "succeeded", result: "42", keep: true },
    followUps: [],
    ...options,
  };
}

/** Tasks that ran in the caller's own process. */
export function savedPromises(suite: Suite): void {
  const { describe, it } = suite;
  describe("saveFinished", () => {
    it("stores a task that has run, with its attempt and what follows, and queues only that", async () => {
      await using backend = await openEmpty(suite);
      const task = newTask("t", { group: "g", name: "answer" });

      await backend.store.saveFinished(task, ran(task.id, { followUps: [hookOf("t")] }));

      const saved = await stored(backend, "t");
      assert.deepEqual([saved.state, saved.result, saved.attempts], ["succeeded", "42", 1]);
      assert.deepEqual([saved.startedAt, saved.stoppedAt, saved.worker], [1_000, 1_250, "web-1:1"]);
      assert.equal((await backend.store.attempts(task.id)).length, 1);
      assert.equal(await backend.store.countGroup("g", "succeeded"), 1);
      const taken = await (await consumer(backend.broker)).take(atOnce);
      assert.deepEqual(
        taken.map(({ id }) => id),
        [hookOf("t").id],
      );
    });

    it("stores a failure too, and no record of a success that is not to be kept (P368)", async () => {
      await using backend = await openEmpty(suite);

      await backend.store.saveFinished(newTask("t"), ran(idOf("t"), { outcome: { to: "failed", error } }));
      const unkept: Settlement["outcome"] = { to: "succeeded", result: "42", keep: false };
      await backend.store.saveFinished(newTask("u"), ran(idOf("u"), { outcome: unkept }));

      assert.deepEqual((await stored(backend, "t")).error, error);
      assert.equal(await stateOf(backend, "u"), "unknown");
    });

    it("changes nothing of a task that is known: the first ending stays (P363)", async () => {
      await using backend = await openEmpty(suite);
      await runTask(backend, newTask("t"));
      const before = await stored(backend, "t");
      await backend.store.submit([newTask("waits")]);

      const failure = { outcome: { to: "failed", error } as const, followUps: [hookOf("t")] };
      await backend.store.saveFinished(newTask("t"), ran(idOf("t"), failure));
      await backend.store.saveFinished(newTask("waits"), ran(idOf("waits")));

      assert.deepEqual(await stored(backend, "t"), before);
      assert.equal(await stateOf(backend, "hook of t"), "unknown");
      assert.equal(await stateOf(backend, "waits"), "queued");
      assert.equal((await backend.store.attempts(idOf("t"))).length, 1);
    });
  });
}
