import assert from "node:assert/strict";
import type { Backend } from "../../contracts/backend.js";
import { atOnce, consumer, idOf, inTime, names, takeOne } from "../messages.js";
import { openEmpty, type Suite } from "../suite.js";
import { failed, finishOne, hookOf, newTask, runTask, stateOf, stored, succeeded } from "../tasks.js";
import { outlive, shortLease } from "../waiting.js";

/** Tasks under a label. */
export function groupPromises(suite: Suite): void {
  suite.describe("groups", () => {
    memberPromises(suite);
    countingPromises(suite);
    deletionPromises(suite);
  });
}

/** Group g: s1 and s2 succeeded, f1 failed, c1 was cancelled, w1 waits. And one member of another group. */
async function filledGroup(suite: Suite, backend: Backend): Promise<void> {
  const group = "g";
  for (const [name, end] of [
    ["s1", succeeded],
    ["f1", failed],
    ["s2", succeeded],
  ] as const) {
    await runTask(backend, newTask(name, { group }), end);
    await suite.clock.advance(2);
  }
  await backend.store.submit([newTask("c1", { group })]);
  await backend.store.cancel(idOf("c1"));
  await runTask(backend, newTask("other", { group: "h" }));
  await backend.store.submit([newTask("w1", { group })]);
}

function memberPromises(suite: Suite): void {
  const { it } = suite;

  it("list their finished members, newest first, all or by success (P120, P121)", async () => {
    await using backend = await openEmpty(suite);
    await filledGroup(suite, backend);
    const list = async (which: "all" | "succeeded" | "failed"): Promise<string[]> =>
      names(await backend.store.group("g", { which }));

    assert.deepEqual(await list("all"), ["c1", "s2", "f1", "s1"]);
    assert.deepEqual(await list("succeeded"), ["s2", "s1"]);
    assert.deepEqual(await list("failed"), ["c1", "f1"]);
    assert.equal((await backend.store.group("g", { which: "succeeded" }))[0]?.result, "result of s2");
  });

  it("list only so many as asked for", async () => {
    await using backend = await openEmpty(suite);
    await filledGroup(suite, backend);

    assert.deepEqual(names(await backend.store.group("g", { which: "all", limit: 2 })), ["c1", "s2"]);
  });

  it("are empty when nobody has used them", async () => {
    await using backend = await openEmpty(suite);

    assert.deepEqual(await backend.store.group("nobody", { which: "all" }), []);
    assert.equal(await backend.store.countGroup("nobody", "all"), 0);
    assert.equal(await backend.store.deleteGroup("nobody", { tasks: true }), 0);
  });
}

function countingPromises(suite: Suite): void {
  const { it, clock } = suite;

  it("count finished members, all or by success (P123)", async () => {
    await using backend = await openEmpty(suite);
    await filledGroup(suite, backend);

    assert.equal(await backend.store.countGroup("g", "all"), 4);
    assert.equal(await backend.store.countGroup("g", "succeeded"), 2);
    assert.equal(await backend.store.countGroup("g", "failed"), 2);
  });

  it("count no further than asked to, so that a large group costs no more than what is waited for", async () => {
    await using backend = await openEmpty(suite);
    await filledGroup(suite, backend);

    assert.equal(await backend.store.countGroup("g", "all", 3), 3);
    assert.equal(await backend.store.countGroup("g", "all", 9), 4);
    assert.equal(await backend.store.countGroup("g", "failed", 1), 1);
  });

  it("count a member once that was delivered twice (P127)", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t", { group: "g" })]);
    const late = await consumer(backend.broker, { leaseMs: shortLease });
    const owner = await consumer(backend.broker, { leaseMs: shortLease });
    const stale = await takeOne(late);
    await outlive(clock, owner);
    const fresh = await takeOne(owner, inTime);

    await finishOne(backend, owner, succeeded(fresh));
    await backend.store.finish(late.id, [succeeded(stale)]);

    assert.equal(await backend.store.countGroup("g", "all"), 1);
  });

  it("count every member of many that finish at the same time (P126)", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit(Array.from({ length: 60 }, (_, index) => newTask(`t${index}`, { group: "g" })));
    const owner = await consumer(backend.broker);
    const taken = await owner.take(atOnce);

    await Promise.all(taken.map((delivery) => backend.store.finish(owner.id, [succeeded(delivery)])));

    assert.equal(await backend.store.countGroup("g", "succeeded"), 60);
  });

  it("never count hooks", async () => {
    await using backend = await openEmpty(suite);
    await runTask(backend, newTask("t", { group: "g" }));

    await runTask(backend, hookOf("t", { group: "g" }));

    assert.equal(await backend.store.countGroup("g", "all"), 1);
    assert.deepEqual(names(await backend.store.group("g", { which: "all" })), ["t"]);
  });
}

function deletionPromises(suite: Suite): void {
  const { it } = suite;

  it("lose their label, and the finished tasks stay (P124)", async () => {
    await using backend = await openEmpty(suite);
    await filledGroup(suite, backend);

    assert.equal(await backend.store.deleteGroup("g", { tasks: false }), 4);

    assert.equal(await backend.store.countGroup("g", "all"), 0);
    assert.equal((await stored(backend, "s1")).group, null);
    assert.equal((await stored(backend, "s1")).result, "result of s1");
    assert.equal((await stored(backend, "w1")).group, "g");
    assert.equal(await backend.store.countGroup("h", "all"), 1);
  });

  it("take their finished tasks with them when asked to (P124)", async () => {
    await using backend = await openEmpty(suite);
    await filledGroup(suite, backend);

    assert.equal(await backend.store.deleteGroup("g", { tasks: true }), 4);

    const states = await Promise.all(["s1", "f1", "c1", "w1", "other"].map((name) => stateOf(backend, name)));
    assert.deepEqual(states, ["unknown", "unknown", "unknown", "queued", "succeeded"]);
    assert.deepEqual(await backend.store.attempts(idOf("f1")), []);
  });
}
