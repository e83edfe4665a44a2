import assert from "node:assert/strict";
import type { Backend } from "../../contracts/backend.js";
import { openEmpty, type Suite } from "../suite.js";
import { failed, finishOne, newTask, runTask, succeeded, succeededUnkept } from "../tasks.js";
import {
  called,
  flowId,
  flowsOf,
  member,
  newFlow,
  results,
  resultOf,
  runWaiting,
  takeWaiting,
  theFlow,
} from "./flows.js";

/** One function over many arguments. */
export function iterPromises(suite: Suite): void {
  suite.describe("iterables", () => {
    collectingPromises(suite);
    oncePromises(suite);
  });
}

async function openIter(backend: Backend, size: number): Promise<void> {
  await flowsOf(backend).open(newFlow("iter"), []);
  const members = Array.from({ length: size }, (_, place) => member(place));
  if (size > 0) await backend.store.submit(members);
}

function collectingPromises(suite: Suite): void {
  const { it } = suite;

  it("keep results at the places of the input, whatever ends first (P138)", async () => {
    await using backend = await openEmpty(suite);
    await openIter(backend, 3);
    await flowsOf(backend).close(flowId, 3);
    const [owner, taken] = await takeWaiting(backend);

    for (const delivery of taken.toReversed()) await finishOne(backend, owner, resultOf(delivery, succeededUnkept));

    assert.deepEqual(await results(backend), [
      [0, "f0"],
      [1, "f1"],
      [2, "f2"],
    ]);
    assert.equal((await theFlow(backend)).state, "succeeded");
    await owner.close();
  });

  it("end when they are closed after all have ended, and not before (P132)", async () => {
    await using backend = await openEmpty(suite);
    await openIter(backend, 2);
    await runWaiting(backend, succeededUnkept);
    assert.equal((await theFlow(backend)).state, "open");

    await flowsOf(backend).close(flowId, 2);

    const [record] = await backend.store.finished([flowId]);
    assert.deepEqual([record?.state, record?.kind, record?.func, record?.result], ["succeeded", "iter", "iter", null]);
    assert.deepEqual(await called(backend), ["core.tasks.done"]);
  });

  it("end at once when they are empty (P142)", async () => {
    await using backend = await openEmpty(suite);
    await openIter(backend, 0);

    await flowsOf(backend).close(flowId, 0);

    assert.equal((await theFlow(backend)).state, "succeeded");
    assert.deepEqual(await results(backend), []);
  });

  it("mark a failure at its place, and fail as a whole (P139)", async () => {
    await using backend = await openEmpty(suite);
    await openIter(backend, 3);
    await flowsOf(backend).close(flowId, 3);
    const [owner, taken] = await takeWaiting(backend);

    for (const [place, delivery] of taken.entries()) {
      await finishOne(backend, owner, resultOf(delivery, place === 1 ? failed : succeededUnkept));
    }

    const outcomes = await flowsOf(backend).outcomes(flowId, 0, 1e6);
    assert.deepEqual(
      outcomes.map(({ state }) => state),
      ["succeeded", "failed", "succeeded"],
    );
    assert.equal(outcomes[1]?.error?.name, "TypeError");
    const { state, error } = await theFlow(backend);
    assert.equal(state, "failed");
    assert.match(error?.message ?? "", /^1 of 3 elements failed, the first at place 1: TypeError: /);
    await owner.close();
  });

  it("are read in pages of so many bytes, at least one outcome each", async () => {
    await using backend = await openEmpty(suite);
    await openIter(backend, 5);
    await runWaiting(backend, succeededUnkept);

    assert.deepEqual(
      (await results(backend, 0, 5)).map(([place]) => place),
      [0, 1],
    );
    assert.deepEqual(
      (await results(backend, 2, 1)).map(([place]) => place),
      [2],
    );
    assert.deepEqual(
      (await results(backend, 4, 100)).map(([place]) => place),
      [4],
    );
    assert.deepEqual(await results(backend, 5), []);
  });

  it("are one member of their group, not many (P134)", async () => {
    await using backend = await openEmpty(suite);
    await flowsOf(backend).open(newFlow("iter", { group: "g" }), []);
    await backend.store.submit([member(0), member(1)]);
    await runWaiting(backend, succeededUnkept);
    await runTask(backend, newTask("other", { group: "g" }));

    await flowsOf(backend).close(flowId, 2);

    assert.equal(await backend.store.countGroup("g", "all"), 2);
    assert.deepEqual((await backend.store.group("g", { which: "succeeded" })).map(({ id }) => id)[0], flowId);
  });
}

function oncePromises(suite: Suite): void {
  const { it } = suite;

  it("run an element once that is submitted again after its end (P140)", async () => {
    await using backend = await openEmpty(suite);
    await openIter(backend, 2);
    await runWaiting(backend, succeededUnkept);

    const answers = await backend.store.submit([member(0), member(1), member(2)]);

    assert.deepEqual(
      answers.map(({ created }) => created),
      [false, false, true],
    );
    assert.deepEqual(await runWaiting(backend, succeededUnkept), ["f2"]);
    await flowsOf(backend).close(flowId, 3);
    assert.equal((await theFlow(backend)).done, 3);
  });

  it("end once when their last elements end at the same moment, and are closed twice (P141)", async () => {
    await using backend = await openEmpty(suite);
    await openIter(backend, 30);
    const [owner, taken] = await takeWaiting(backend);

    await Promise.all([
      flowsOf(backend).close(flowId, 30),
      ...taken.map((delivery) => backend.store.finish(owner.id, [succeeded(delivery)])),
      flowsOf(backend).close(flowId, 30),
    ]);

    assert.deepEqual(await called(backend), ["core.tasks.done"]);
    assert.equal((await results(backend)).length, 30);
    await owner.close();
  });

  it("take no element after their end, and nothing of a submit that has one", async () => {
    await using backend = await openEmpty(suite);
    await openIter(backend, 1);
    await backend.store.cancel(flowId);

    await assert.rejects(backend.store.submit([newTask("other"), member(1)]), { code: "QLUSTER_FLOW" });

    assert.deepEqual(await runWaiting(backend), []);
    const stranger = { ...member(0), member: { flow: "f".repeat(32), place: 0, run: 0 } };
    await assert.rejects(backend.store.submit([stranger]), { code: "QLUSTER_FLOW" });
  });
}
