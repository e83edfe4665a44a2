import assert from "node:assert/strict";
import type { RetentionLimits } from "../../contracts/store.js";
import { memberId } from "../../core/flow.js";
import { idOf } from "../messages.js";
import { openEmpty, type Suite } from "../suite.js";
import { finishOne, newTask, stateOf, succeeded, succeededUnkept } from "../tasks.js";
import {
  called,
  flowId,
  flowsOf,
  joining,
  member,
  newFlow,
  openChain,
  runWaiting,
  takeWaiting,
  theFlow,
} from "./flows.js";

const keepAll: RetentionLimits = { successesMs: null, failuresMs: null, successesCount: null, per: null, groupMs: 0 };

/** How flows end, and what is left of them. */
export function endPromises(suite: Suite): void {
  suite.describe("the end of a flow", () => {
    recordPromises(suite);
    cancelPromises(suite);
    expiryPromises(suite);
    retentionPromises(suite);
  });
}

function recordPromises(suite: Suite): void {
  const { it } = suite;

  it("leaves a record like that of a task, which is counted nowhere (P158)", async () => {
    await using backend = await openEmpty(suite);
    await openChain(backend, [1], { group: "g", name: "report" });
    await runWaiting(backend, succeededUnkept);

    const [record] = await backend.store.finished([flowId]);

    assert.deepEqual([record?.state, record?.kind, record?.name, record?.group], ["succeeded", "chain", "report", "g"]);
    assert.equal(record?.envelope, newFlow("chain").envelope);
    assert.notEqual(record?.stoppedAt, null);
    assert.equal(await backend.store.countGroup("g", "all"), 0);
    assert.equal((await backend.store.counts(10)).succeeded, 0);
    assert.equal((await backend.store.throughput(0))[0]?.succeeded, 1);
  });

  it("calls its task with how it ended and all results, as they were sealed (P137, P158)", async () => {
    await using backend = await openEmpty(suite);
    await openChain(backend, [1, 1]);
    await runWaiting(backend);
    await runWaiting(backend);

    const [owner, [hook]] = await takeWaiting(backend, "hooks");

    const body = JSON.parse(hook?.envelope.split("\n")[1] ?? "") as { outcome: Record<string, unknown> };
    const results = (body.outcome["members"] as { result: string }[]).map(({ result }) => result);
    assert.deepEqual([body.outcome["id"], body.outcome["success"], results], [flowId, true, ["f0", "f1"]]);
    const [task] = await backend.store.get([hook!.id]);
    assert.deepEqual([task?.kind, task?.parent, task?.func], ["hook", flowId, "core.tasks.done"]);
    await owner.close();
  });

  it("carries no results when they are too many", async () => {
    await using backend = await openEmpty(suite);
    await openChain(backend, [1, 1], { carryBytes: 3 });
    await runWaiting(backend);
    await runWaiting(backend);

    const [owner, [hook]] = await takeWaiting(backend, "hooks");

    const body = JSON.parse(hook?.envelope.split("\n")[1] ?? "") as { outcome: Record<string, unknown> };
    assert.equal(body.outcome["members"], null);
    await owner.close();
  });

  it("is told by tasks that ran in the caller's process, and then queues nothing", async () => {
    await using backend = await openEmpty(suite);
    await openChain(backend, [1, 1], { queued: false });
    const attempt = {
      number: 1,
      ending: "succeeded",
      counted: true,
      startedAt: 1,
      stoppedAt: 2,
      worker: "w:1",
      error: null,
    } as const;

    for (const place of [0, 1]) {
      const outcome = { to: "succeeded", result: `r${place}`, keep: true } as const;
      await backend.store.saveFinished(member(place), {
        id: memberId(flowId, place, 0),
        attempt,
        outcome,
        followUps: [],
      });
    }

    assert.equal((await theFlow(backend)).state, "succeeded");
    assert.deepEqual([await runWaiting(backend), await called(backend)], [[], []]);
  });
}

function cancelPromises(suite: Suite): void {
  const { it } = suite;

  it("comes by cancelling, which ends what waits and asks for what runs (P159)", async () => {
    await using backend = await openEmpty(suite);
    await openChain(backend, [2, 1]);
    const [owner, [first]] = await takeWaiting(backend);

    assert.equal(await backend.store.cancel(flowId), "cancelled");

    const { state, error } = await theFlow(backend);
    assert.deepEqual([state, error?.message], ["cancelled", "The chain was cancelled."]);
    assert.deepEqual(await backend.store.inbox("cluster-1").then((orders) => orders.map(({ order }) => order)), [
      "cancel",
      "cancel",
    ]);
    await finishOne(backend, owner, succeeded(first!));
    assert.equal((await theFlow(backend)).done, 0);
    assert.equal(await backend.store.cancel(flowId), "finished");
    assert.deepEqual(await called(backend), ["core.tasks.done"]);
    await owner.close();
  });

  it("cancels a link that waits, with a record of it", async () => {
    await using backend = await openEmpty(suite);
    await openChain(backend, [1, 1]);

    await backend.store.cancel(flowId);

    assert.equal((await backend.store.get([memberId(flowId, 0, 0)]))[0]?.state, "cancelled");
    assert.deepEqual(await runWaiting(backend), []);
  });

  it("takes elements of an iterable out of the queue without a trace", async () => {
    await using backend = await openEmpty(suite);
    await flowsOf(backend).open(newFlow("iter"), []);
    await backend.store.submit([member(0), member(1)]);

    await backend.store.cancel(flowId);

    assert.equal(await backend.broker.queueSize("q"), 0);
    assert.deepEqual(await backend.store.get([memberId(flowId, 0, 0)]), []);
  });
}

function expiryPromises(suite: Suite): void {
  const { it, clock } = suite;

  it("comes when its time is up, with the reason (P135)", async () => {
    await using backend = await openEmpty(suite);
    await flowsOf(backend).open(newFlow("batch", { steps: [3], expiresMs: 1_000 }), []);
    await backend.store.submit([joining("a"), joining("b")]);
    const [owner, [first]] = await takeWaiting(backend);
    await finishOne(backend, owner, succeeded(first!));
    await owner.close();
    await backend.store.clean(keepAll);
    assert.equal((await theFlow(backend)).state, "open");

    await clock.advance(1_001);
    await backend.store.clean(keepAll);

    const { state, error } = await theFlow(backend);
    assert.equal(state, "failed");
    assert.deepEqual([error?.name, error?.message.includes("1 of 3 members had ended")], ["ExpiredError", true]);
    assert.equal(await stateOf(backend, "b"), "expired");
    assert.deepEqual(await called(backend), ["core.tasks.done"]);
  });
}

function retentionPromises(suite: Suite): void {
  const { it, clock } = suite;

  it("is what its members wait for before they are removed (P129)", async () => {
    await using backend = await openEmpty(suite);
    await flowsOf(backend).open(newFlow("batch", { steps: [2] }), []);
    await backend.store.submit([joining("a")]);
    await runWaiting(backend);
    await backend.store.submit([newTask("other")]);
    await runWaiting(backend);
    await clock.advance(10);

    const all = { ...keepAll, successesMs: 1, failuresMs: 1 };
    await backend.store.clean(all);
    await backend.store.clean({ ...all, successesCount: 1 });
    assert.deepEqual([await stateOf(backend, "a"), await stateOf(backend, "other")], ["succeeded", "unknown"]);

    await backend.store.submit([joining("b")]);
    await runWaiting(backend);
    await clock.advance(10);
    while ((await backend.store.clean(all)) > 0);

    assert.deepEqual(await backend.store.get([idOf("a"), idOf("b"), flowId]), []);
    assert.deepEqual(await flowsOf(backend).find([flowId]), []);
    assert.deepEqual(await flowsOf(backend).outcomes(flowId, 0, 100), []);
  });
}
