import assert from "node:assert/strict";
import { atOnce, consumer, idOf, inTime, takeAll, takeOne } from "../messages.js";
import { openEmpty, type Suite } from "../suite.js";
import {
  cancelled,
  failed,
  finishOne,
  hookOf,
  newTask,
  retrying,
  runTask,
  stateOf,
  stored,
  succeeded,
} from "../tasks.js";
import { outlive, shortLease } from "../waiting.js";

/** Cancelling, at every moment of a task's life. */
export function cancelPromises(suite: Suite): void {
  suite.describe("cancel", () => {
    waitingPromises(suite);
    heldPromises(suite);
  });
}

function waitingPromises(suite: Suite): void {
  const { it, clock } = suite;

  it("ends a waiting task: it never runs, and says why", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t"), newTask("later", { delayMs: 1_000 })]);

    const answers = [await backend.store.cancel(idOf("t")), await backend.store.cancel(idOf("later"))];

    assert.deepEqual(answers, ["cancelled", "cancelled"]);
    await clock.advance(1_001);
    assert.deepEqual(await (await consumer(backend.broker)).take(atOnce), []);
    const task = await stored(backend, "t");
    assert.equal(task.state, "cancelled");
    assert.ok(task.error !== null && task.error.message !== "" && task.stoppedAt !== null);
    assert.deepEqual(await backend.store.attempts(idOf("t")), []);
    assert.equal(await backend.broker.queueSize(), 0);
  });

  it("ends a task that waits for its next attempt, and keeps the attempts it had", async () => {
    await using backend = await openEmpty(suite);
    await runTask(backend, newTask("t"), retrying(60_000));

    assert.equal(await backend.store.cancel(idOf("t")), "cancelled");

    assert.equal((await stored(backend, "t")).attempts, 1);
    assert.equal((await backend.store.attempts(idOf("t"))).length, 1);
  });

  it("queues what follows in the same write, and only when a waiting task was cancelled", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t"), newTask("held", { queue: "other" })]);
    const owner = await consumer(backend.broker, { queues: ["other"] });
    await takeOne(owner);

    const answers = [
      await backend.store.cancel(idOf("t"), [hookOf("t")]),
      await backend.store.cancel(idOf("t"), [hookOf("again")]),
      await backend.store.cancel(idOf("held"), [hookOf("held")]),
      await backend.store.cancel(idOf("nobody"), [hookOf("nobody")]),
    ];

    assert.deepEqual(answers, ["cancelled", "finished", "requested", "unknown"]);
    const states = await Promise.all(
      ["t", "again", "held", "nobody"].map((name) => stateOf(backend, `hook of ${name}`)),
    );
    assert.deepEqual(states, ["queued", "unknown", "unknown", "unknown"]);
  });

  it("is too late for a finished task, and changes nothing", async () => {
    await using backend = await openEmpty(suite);
    await runTask(backend, newTask("t"));
    await runTask(backend, newTask("u"), failed);
    await backend.store.submit([newTask("v")]);
    await backend.store.cancel(idOf("v"));

    const answers = [];
    for (const name of ["t", "u", "v"]) answers.push(await backend.store.cancel(idOf(name)));

    assert.deepEqual(answers, ["finished", "finished", "finished"]);
    assert.deepEqual([await stateOf(backend, "t"), await stateOf(backend, "u")], ["succeeded", "failed"]);
  });

  it("does not know a task that was never submitted", async () => {
    await using backend = await openEmpty(suite);

    assert.equal(await backend.store.cancel(idOf("nobody")), "unknown");
  });

  it("wins or loses against a cluster that takes the task, and never both", async () => {
    await using backend = await openEmpty(suite);
    const all = Array.from({ length: 60 }, (_, index) => `t${index}`);
    await backend.store.submit(all.map((name) => newTask(name)));
    const owner = await consumer(backend.broker);

    const [taken, answers] = await Promise.all([
      takeAll(owner, 5),
      Promise.all(all.map((name) => backend.store.cancel(idOf(name)))),
    ]);

    const running = new Set(taken.map(({ envelope }) => envelope));
    for (const [index, name] of all.entries()) {
      assert.equal(answers[index] === "cancelled", !running.has(name), `${name}: ${answers[index]}`);
    }
  });
}

function heldPromises(suite: Suite): void {
  const { it } = suite;

  it("tells the cluster that holds the task, and leaves the ending to it", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t")]);
    const owner = await consumer(backend.broker, { cluster: { id: "c7", host: "web-1", pid: 7 } });
    const delivery = await takeOne(owner);

    assert.equal(await backend.store.cancel(idOf("t")), "requested");

    assert.deepEqual(await backend.store.inbox("c7"), [{ order: "cancel", id: idOf("t") }]);
    assert.equal(await stateOf(backend, "t"), "running");
    await finishOne(backend, owner, cancelled(delivery));
    assert.equal(await stateOf(backend, "t"), "cancelled");
  });

  it("tells the cluster that holds the task now, after another one died with it", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t")]);
    const leaseMs = shortLease;
    const dead = await consumer(backend.broker, { leaseMs, cluster: { id: "dead", host: "web-1", pid: 1 } });
    const heir = await consumer(backend.broker, { leaseMs, cluster: { id: "heir", host: "web-2", pid: 2 } });
    await takeOne(dead);
    await outlive(suite.clock, heir);
    await takeOne(heir, inTime);

    assert.equal(await backend.store.cancel(idOf("t")), "requested");

    assert.deepEqual(await backend.store.inbox("dead"), []);
    assert.deepEqual(await backend.store.inbox("heir"), [{ order: "cancel", id: idOf("t") }]);
  });

  it("loses against a success that is stored first", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t")]);
    const owner = await consumer(backend.broker);
    const delivery = await takeOne(owner);
    await backend.store.cancel(idOf("t"));

    await finishOne(backend, owner, succeeded(delivery));

    assert.equal(await stateOf(backend, "t"), "succeeded");
    assert.deepEqual(await backend.store.finish(owner.id, [cancelled(delivery)]), [false]);
    assert.equal(await stateOf(backend, "t"), "succeeded");
  });
}
