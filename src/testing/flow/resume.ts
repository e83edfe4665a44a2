import assert from "node:assert/strict";
import { openEmpty, type Suite } from "../suite.js";
import { failed, finishOne, succeeded } from "../tasks.js";
import { called, flowId, flowsOf, member, openChain, results, runWaiting, takeWaiting, theFlow } from "./flows.js";

/** Chains that go on where they failed. */
export function resumePromises(suite: Suite): void {
  const { it } = suite;
  suite.describe("resume", () => {
    it("opens a failed chain at its failed link, which runs again under another id (P159)", async () => {
      await using backend = await openEmpty(suite);
      await openChain(backend, [1, 1, 1]);
      await runWaiting(backend);
      await runWaiting(backend, failed);
      const again = member(1, { run: 1, before: true });

      assert.equal(await flowsOf(backend).resume(flowId, 1, [again], null), true);

      const { state, failedAt, done, run } = await theFlow(backend);
      assert.deepEqual([state, failedAt, done, run], ["open", null, 1, 1]);
      assert.deepEqual(await backend.store.finished([flowId]), []);
      const [owner, [taken]] = await takeWaiting(backend);
      assert.deepEqual([taken?.id, taken?.envelope], [again.id, `${again.envelope}\n[[0,"f0"]]`]);
      await finishOne(backend, owner, succeeded(taken!));
      assert.deepEqual(await runWaiting(backend), ["f2"]);
      assert.equal((await theFlow(backend)).state, "succeeded");
      assert.deepEqual(await called(backend), ["core.tasks.done", "core.tasks.done"]);
      await owner.close();
    });

    it("keeps what succeeded in a parallel step", async () => {
      await using backend = await openEmpty(suite);
      await openChain(backend, [2, 1]);
      const [owner, [first, second]] = await takeWaiting(backend);
      await finishOne(backend, owner, succeeded(first!));
      await finishOne(backend, owner, failed(second!));
      await owner.close();

      await flowsOf(backend).resume(flowId, 1, [member(1, { run: 1 })], null);

      assert.deepEqual(await runWaiting(backend), ["f1"]);
      assert.deepEqual(
        (await results(backend)).map(([place]) => place),
        [0, 1],
      );
      assert.deepEqual(await runWaiting(backend), ["f2"]);
    });

    it("changes nothing of a chain that is open, has succeeded, or was resumed by somebody else", async () => {
      await using backend = await openEmpty(suite);
      await openChain(backend, [1]);
      const resume = (run: number): Promise<boolean> =>
        flowsOf(backend).resume(flowId, run, [member(0, { run })], null);

      assert.equal(await resume(1), false);
      await runWaiting(backend, failed);
      assert.deepEqual([await resume(2), await resume(1), await resume(1)], [false, true, false]);
      await runWaiting(backend);
      assert.equal(await resume(2), false);
      assert.equal((await theFlow(backend)).state, "succeeded");
    });

    it("is told nothing by a link that was still running when its chain was cancelled", async () => {
      await using backend = await openEmpty(suite);
      await openChain(backend, [1, 1]);
      const [owner, [old]] = await takeWaiting(backend);
      await backend.store.cancel(flowId);
      await flowsOf(backend).resume(flowId, 1, [member(0, { run: 1 })], null);

      await finishOne(backend, owner, failed(old!));

      assert.equal((await theFlow(backend)).state, "open");
      assert.deepEqual(await runWaiting(backend), ["f0"]);
      assert.deepEqual(await runWaiting(backend), ["f1"]);
      await owner.close();
    });
  });
}
