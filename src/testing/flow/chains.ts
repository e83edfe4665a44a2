import assert from "node:assert/strict";
import { atOnce, consumer, inTime } from "../messages.js";
import { openEmpty, type Suite } from "../suite.js";
import { cancelled, failed, finishOne, retrying, succeeded, succeededUnkept, type Ending } from "../tasks.js";
import { outlive, shortLease } from "../waiting.js";
import { memberId } from "../../core/flow.js";
import {
  called,
  flowId,
  flowsOf,
  funcOf,
  member,
  newFlow,
  openChain,
  results,
  resultOf,
  runWaiting,
  takeWaiting,
  theFlow,
} from "./flows.js";

/** One step after the other. */
export function chainPromises(suite: Suite): void {
  suite.describe("chains", () => {
    orderPromises(suite);
    failurePromises(suite);
    oncePromises(suite);
  });
}

function orderPromises(suite: Suite): void {
  const { it } = suite;

  it("queue a link only after the end of the one before is stored (P149)", async () => {
    await using backend = await openEmpty(suite);
    await openChain(backend, [1, 1, 1]);

    const ran = [
      await runWaiting(backend),
      await runWaiting(backend),
      await runWaiting(backend),
      await runWaiting(backend),
    ];

    assert.deepEqual(ran, [["f0"], ["f1"], ["f2"], []]);
    assert.deepEqual(await results(backend), [
      [0, "f0"],
      [1, "f1"],
      [2, "f2"],
    ]);
    assert.equal((await theFlow(backend)).state, "succeeded");
  });

  it("attach the results of the step before as they were sealed (P151)", async () => {
    await using backend = await openEmpty(suite);
    await openChain(backend, [2, 1]);
    const [owner, [first, second]] = await takeWaiting(backend);

    await finishOne(backend, owner, resultOf(second!));
    await finishOne(backend, owner, resultOf(first!));

    const [, [next]] = await takeWaiting(backend);
    assert.equal(next?.envelope, `${member(2, { before: true }).envelope}\n[[0,"f0"],[0,"f1"]]`);
    await owner.close();
  });

  it("go on when all links of a parallel step have ended, and not before (P161)", async () => {
    await using backend = await openEmpty(suite);
    await openChain(backend, [1, 3, 1]);
    await runWaiting(backend);
    const [owner, taken] = await takeWaiting(backend);
    assert.deepEqual(taken.map(funcOf), ["f1", "f2", "f3"]);

    for (const delivery of taken.slice(1)) await finishOne(backend, owner, succeeded(delivery));

    assert.deepEqual(await runWaiting(backend), []);
    await finishOne(backend, owner, succeeded(taken[0]!));
    assert.deepEqual(await runWaiting(backend), ["f4"]);
    await owner.close();
  });

  it("go on whatever is kept of a success (P154)", async () => {
    await using backend = await openEmpty(suite);
    await openChain(backend, [1, 1]);

    await runWaiting(backend, succeededUnkept);

    assert.equal((await backend.store.get([memberId(flowId, 0, 0)])).length, 0);
    assert.deepEqual(await runWaiting(backend, succeededUnkept), ["f1"]);
    assert.equal((await theFlow(backend)).done, 2);
  });

  it("say where they stand (P159)", async () => {
    await using backend = await openEmpty(suite);
    await openChain(backend, [1, 2, 1], { group: "g", name: "report" });
    await runWaiting(backend);

    const { state, kind, step, done, failed: failures, failedAt, group, name } = await theFlow(backend);

    assert.deepEqual([state, kind, step, done, failures, failedAt], ["open", "chain", 1, 1, 0, null]);
    assert.deepEqual([group, name], ["g", "report"]);
    assert.equal((await backend.store.get([flowId]))[0]?.state, "running");
    assert.deepEqual(await backend.store.finished([flowId]), []);
    assert.deepEqual(
      (await flowsOf(backend).members(flowId)).map(({ func }) => func),
      ["f0", "f1", "f2", "f3"],
    );
  });
}

function failurePromises(suite: Suite): void {
  const { it } = suite;
  const endings: [string, Ending][] = [
    ["failed", failed],
    ["cancelled", cancelled],
  ];

  for (const [state, end] of endings) {
    it(`end at a link that ended as ${state} (P152)`, async () => {
      await using backend = await openEmpty(suite);
      await openChain(backend, [1, 1, 1]);
      await runWaiting(backend);

      await runWaiting(backend, end);

      assert.deepEqual(await runWaiting(backend), []);
      const flow = await theFlow(backend);
      assert.deepEqual([flow.state, flow.failedAt, flow.done, flow.failed], ["failed", 1, 2, 1]);
      assert.match(flow.error?.message ?? "", /^Link 2 of 3 failed: TypeError: /);
      assert.deepEqual(await called(backend), ["core.tasks.done"]);
    });
  }

  it("wait for the others of a parallel step before they end at one that failed (P152, P161)", async () => {
    await using backend = await openEmpty(suite);
    await openChain(backend, [2, 1]);
    const [owner, [first, second]] = await takeWaiting(backend);

    await finishOne(backend, owner, failed(first!));
    assert.equal((await theFlow(backend)).state, "open");
    await finishOne(backend, owner, succeeded(second!));

    assert.equal((await theFlow(backend)).state, "failed");
    assert.deepEqual(await runWaiting(backend), []);
    await owner.close();
  });

  it("go on after a failure when they do not stop, without its result (P152)", async () => {
    await using backend = await openEmpty(suite);
    await openChain(backend, [1, 1], { stops: false });
    await runWaiting(backend, failed);

    const [owner, [next]] = await takeWaiting(backend);

    assert.ok(next !== undefined && next.envelope.endsWith("\n[[0,null]]"));
    await finishOne(backend, owner, succeeded(next));
    const flow = await theFlow(backend);
    assert.deepEqual([flow.state, flow.failed, flow.failedAt, flow.done], ["failed", 1, 0, 2]);
    await owner.close();
  });
}

function oncePromises(suite: Suite): void {
  const { it, clock } = suite;

  it("queue the next link once, however often the one before is tried (P153)", async () => {
    await using backend = await openEmpty(suite);
    await openChain(backend, [1, 1]);

    for (let attempt = 1; attempt < 4; attempt++) assert.deepEqual(await runWaiting(backend, retrying(0)), ["f0"]);
    await runWaiting(backend);

    assert.deepEqual(await runWaiting(backend), ["f1"]);
    assert.deepEqual(await runWaiting(backend), []);
  });

  it("queue the next link once when a late cluster ends the one before again (P153)", async () => {
    await using backend = await openEmpty(suite);
    await openChain(backend, [1, 1, 1]);
    const late = await consumer(backend.broker, { leaseMs: shortLease });
    const owner = await consumer(backend.broker, { leaseMs: shortLease });
    const [stale] = await late.take(atOnce);
    await outlive(clock, owner);
    const [fresh] = await owner.take(inTime);

    await finishOne(backend, owner, succeeded(fresh!));
    assert.deepEqual(await backend.store.finish(late.id, [succeeded(stale!)]), [false]);

    assert.deepEqual(await runWaiting(backend), ["f1"]);
    assert.equal((await theFlow(backend)).done, 2);
    await owner.close();
  });

  it("go on once when the last links of a step end at the same moment (P153, P161)", async () => {
    await using backend = await openEmpty(suite);
    await openChain(backend, [20, 1]);
    const [owner, taken] = await takeWaiting(backend);

    await Promise.all(taken.map((delivery) => backend.store.finish(owner.id, [succeeded(delivery)])));

    assert.deepEqual(await runWaiting(backend), ["f20"]);
    assert.deepEqual(await called(backend), ["core.tasks.done"]);
    await owner.close();
  });

  it("are opened once, also when the write is repeated after the first links have run", async () => {
    await using backend = await openEmpty(suite);
    await openChain(backend, [1, 1]);
    await runWaiting(backend, succeededUnkept);

    await openChain(backend, [1, 1]);

    assert.deepEqual(await runWaiting(backend), ["f1"]);
    await flowsOf(backend).open(newFlow("chain", { steps: [1] }), [member(0)]);
    assert.deepEqual(await runWaiting(backend), []);
    assert.equal((await theFlow(backend)).done, 2);
  });
}
