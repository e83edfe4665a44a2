import assert from "node:assert/strict";
import type { UniqueKey, TaskNote } from "../../contracts/store.js";
import { atOnce, consumer, idOf, inTime, names, takeAll, takeOne } from "../messages.js";
import { openEmpty, type Suite } from "../suite.js";
import {
  attemptOf,
  cancelled,
  errorRecord,
  expired,
  failed,
  finishOne,
  hookOf,
  newTask,
  runTask,
  stateOf,
  stored,
  succeeded,
  succeededUnkept,
} from "../tasks.js";
import { outlive, shortLease } from "../waiting.js";

/** Final outcomes: stored once, with all that belongs to them, or not at all. */
export function finishPromises(suite: Suite): void {
  suite.describe("finish", () => {
    outcomePromises(suite);
    batchPromises(suite);
    fencingPromises(suite);
    followUpPromises(suite);
  });
}

function noteOn(name: string): TaskNote {
  return { id: idOf(name), at: 1, log: "a line", progress: { done: 1, total: 2, note: null } };
}

function outcomePromises(suite: Suite): void {
  const { it } = suite;

  it("stores the result and the attempt, and acknowledges, in one write (P355, P373)", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t", { group: "g", name: "thumbnail" })]);
    const before = await stored(backend, "t");
    const owner = await consumer(backend.broker);
    const delivery = await takeOne(owner);
    const attempt = attemptOf(delivery);

    const answers = await backend.store.finish(owner.id, [succeeded(delivery, { attempt })]);

    assert.deepEqual(answers, [true]);
    const { startedAt, stoppedAt, worker } = attempt;
    const ending = { state: "succeeded", attempts: 1, startedAt, stoppedAt, worker, result: "result of t" };
    assert.deepEqual(await stored(backend, "t"), { ...before, ...ending });
    assert.deepEqual(await backend.store.attempts(idOf("t")), [attempt]);
    assert.deepEqual([await backend.broker.queueSize(), await backend.broker.lockSize()], [0, 0]);
  });

  for (const [state, end] of [
    ["failed", failed],
    ["cancelled", cancelled],
  ] as const) {
    it(`stores that a task was ${state}, with its error, and acknowledges (P356, P364)`, async () => {
      await using backend = await openEmpty(suite);
      await backend.store.submit([newTask("t")]);
      const owner = await consumer(backend.broker);
      const settlement = end(await takeOne(owner));

      await finishOne(backend, owner, settlement);

      const task = await stored(backend, "t");
      assert.deepEqual([task.state, task.result], [state, null]);
      assert.deepEqual(task.error, settlement.attempt?.error);
      assert.equal(task.attempts, state === "failed" ? 1 : 0);
      assert.deepEqual(await backend.store.attempts(idOf("t")), [settlement.attempt]);
    });
  }

  it("stores the end of a task that never started, by its own clock, without an attempt", async () => {
    await using backend = await openEmpty(suite);
    const before = await backend.store.now();

    await runTask(backend, newTask("t"), expired);

    const task = await stored(backend, "t");
    assert.deepEqual([task.state, task.startedAt, task.worker, task.attempts], ["expired", null, null, 0]);
    assert.ok(task.stoppedAt !== null && task.stoppedAt >= before, `stoppedAt is ${task.stoppedAt}`);
    assert.deepEqual(await backend.store.attempts(idOf("t")), []);
  });

  it("sets aside what cannot be opened, with the reason and the envelope (P244)", async () => {
    await using backend = await openEmpty(suite);
    const error = errorRecord("The signature does not fit.", { stack: null, dead: "signature" });

    await runTask(backend, newTask("t"), (delivery) =>
      failed(delivery, { attempt: null, outcome: { to: "failed", error } }),
    );

    const task = await stored(backend, "t");
    assert.deepEqual(task.error, error);
    assert.equal(task.envelope, "t");
  });

  it("leaves no record of a success that is not to be kept, and does not run it again (P368)", async () => {
    await using backend = await openEmpty(suite);

    await backend.store.submit([newTask("t", { group: "g" })]);
    await backend.store.report([noteOn("t")]);
    await runTask(backend, newTask("t"), succeededUnkept);

    assert.equal(await stateOf(backend, "t"), "unknown");
    assert.deepEqual(await backend.store.notes(idOf("t")), { progress: undefined, log: [] });
    assert.deepEqual(await backend.store.attempts(idOf("t")), []);
    assert.equal(await backend.store.countGroup("g", "all"), 0);
    assert.deepEqual([await backend.broker.queueSize(), await backend.broker.lockSize()], [0, 0]);
  });

  it("forgets the notes of what is purged, deleted or acknowledged", async () => {
    await using backend = await openEmpty(suite);
    for (const queue of ["purged", "deleted", "q"]) await backend.store.submit([newTask(queue, { queue })]);
    await backend.store.report(["purged", "deleted", "q"].map(noteOn));
    const owner = await consumer(backend.broker);

    await backend.broker.purge("purged");
    await backend.broker.deleteQueue("deleted");
    await owner.acknowledge([(await takeOne(owner)).receipt]);

    for (const name of ["purged", "deleted", "q"]) {
      assert.deepEqual(await backend.store.notes(idOf(name)), { progress: undefined, log: [] });
    }
  });

  it("keeps a result of 1 MiB and errors in any script as they are (P259)", async () => {
    await using backend = await openEmpty(suite);
    const result = `"漢字 👩‍🚀 \\u0000 ' \u2028${"x".repeat(1024 * 1024)}"`;
    const error = errorRecord("Größe 漢字 👩‍🚀 '\"\\ %s $1", { name: "Ошибка" });

    await runTask(backend, newTask("t"), (delivery) =>
      succeeded(delivery, { outcome: { to: "succeeded", result, keep: true } }),
    );
    await runTask(backend, newTask("u"), (delivery) => failed(delivery, { outcome: { to: "failed", error } }));

    assert.equal((await stored(backend, "t")).result, result);
    assert.deepEqual((await stored(backend, "u")).error, error);
  });
}

function batchPromises(suite: Suite): void {
  const { it } = suite;

  it("ends 1,000 tasks in one call, each as it ended", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit(Array.from({ length: 1_000 }, (_, index) => newTask(`t${index}`)));
    const owner = await consumer(backend.broker);
    const taken = await takeAll(owner, 1_000);

    const settlements = taken.map((delivery, index) => (index % 10 === 0 ? failed : succeeded)(delivery));
    const answers = await backend.store.finish(owner.id, settlements);

    assert.equal(answers.filter(Boolean).length, 1_000);
    const finished = await backend.store.finished(taken.map(({ id }) => id));
    assert.equal(finished.length, 1_000);
    for (const task of finished) {
      const index = Number(task.envelope.slice(1));
      assert.equal(task.result, index % 10 === 0 ? null : `result of t${index}`);
    }
    assert.equal(await backend.broker.lockSize(), 0);
  });

  it("answers in the order of the settlements, and stores those that are ours", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit(["a", "b", "c", "d"].map((name) => newTask(name)));
    const owner = await consumer(backend.broker);
    const other = await consumer(backend.broker);
    const [a, b, c] = await owner.take({ max: 3, waitMs: 0 });
    const d = await takeOne(other);
    await finishOne(backend, owner, succeeded(b!));

    const answers = await backend.store.finish(
      owner.id,
      [d, c!, b!, a!].map((delivery) => failed(delivery)),
    );

    assert.deepEqual(answers, [false, true, false, true]);
    const states = await Promise.all(["a", "b", "c", "d"].map((name) => stateOf(backend, name)));
    assert.deepEqual(states, ["failed", "succeeded", "failed", "running"]);
  });

  it("takes an empty list", async () => {
    await using backend = await openEmpty(suite);
    const owner = await consumer(backend.broker);

    assert.deepEqual(await backend.store.finish(owner.id, []), []);
  });
}

function fencingPromises(suite: Suite): void {
  const { it, clock } = suite;
  const leaseMs = shortLease;

  it("stores an ending once, and a success for ever (P363)", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t")]);
    const owner = await consumer(backend.broker);
    const delivery = await takeOne(owner);
    await finishOne(backend, owner, succeeded(delivery));
    const first = await stored(backend, "t");

    const again = [
      await backend.store.finish(owner.id, [failed(delivery)]),
      await backend.store.finish(owner.id, [succeeded(delivery, { attempt: null })]),
    ];

    assert.deepEqual(again, [[false], [false]]);
    assert.deepEqual(await stored(backend, "t"), first);
    assert.equal((await backend.store.attempts(idOf("t"))).length, 1);
  });

  it("stores one of many endings that arrive at the same time", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t", { group: "g" })]);
    const owner = await consumer(backend.broker);
    const delivery = await takeOne(owner);

    const answers = await Promise.all(
      Array.from({ length: 10 }, () => backend.store.finish(owner.id, [succeeded(delivery)])),
    );

    assert.equal(answers.flat().filter(Boolean).length, 1);
    assert.equal(await backend.store.countGroup("g", "all"), 1);
  });

  it("refuses a consumer that was taken over, and keeps the newer result (P242)", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t")]);
    const late = await consumer(backend.broker, { leaseMs });
    const owner = await consumer(backend.broker, { leaseMs });
    const stale = await takeOne(late);
    await outlive(clock, owner);
    const fresh = await takeOne(owner, inTime);

    const early = await backend.store.finish(late.id, [succeeded(stale, { followUps: [hookOf("t")] })]);
    await finishOne(backend, owner, succeeded(fresh, { outcome: { to: "succeeded", result: "newer", keep: true } }));
    const afterwards = await backend.store.finish(late.id, [failed(stale, { followUps: [hookOf("t")] })]);

    assert.deepEqual([early, afterwards], [[false], [false]]);
    assert.equal((await stored(backend, "t")).result, "newer");
    assert.equal(await stateOf(backend, "hook of t"), "unknown");
    assert.equal((await backend.store.attempts(idOf("t"))).length, 1);
  });

  it("stores the ending of a late consumer while nobody has taken over", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t")]);
    const late = await consumer(backend.broker, { leaseMs });
    const delivery = await takeOne(late);

    await clock.advance(leaseMs * 5);

    assert.deepEqual(await backend.store.finish(late.id, [succeeded(delivery)]), [true]);
    assert.equal(await stateOf(backend, "t"), "succeeded");
  });

  it("refuses what was released, acknowledged or deleted meanwhile", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit(["a", "b", "c"].map((name) => newTask(name)));
    const owner = await consumer(backend.broker);
    const [a, b, c] = await owner.take(atOnce);
    await owner.release([a!.receipt], { delayMs: 60_000 });
    await owner.acknowledge([b!.receipt]);
    await backend.broker.deleteQueue("q");

    const answers = await backend.store.finish(
      owner.id,
      [a!, b!, c!].map((delivery) => succeeded(delivery)),
    );

    assert.deepEqual(answers, [false, false, false]);
    assert.deepEqual(await backend.store.get(["a", "b", "c"].map(idOf)), []);
  });
}

function followUpPromises(suite: Suite): void {
  const { it } = suite;

  it("queues what follows in the same write", async () => {
    await using backend = await openEmpty(suite);
    const followUps = [hookOf("t", { queue: "hooks" }), newTask("next", { delayMs: 60_000 })];

    await runTask(backend, newTask("t"), (delivery) => failed(delivery, { followUps }));

    const hook = await stored(backend, "hook of t");
    assert.deepEqual([hook.kind, hook.parent, hook.queue, hook.state], ["hook", idOf("t"), "hooks", "queued"]);
    assert.equal(await stateOf(backend, "next"), "scheduled");
    const taken = await (await consumer(backend.broker, { queues: ["hooks"] })).take(atOnce);
    assert.deepEqual(names(taken), ["hook of t"]);
  });

  it("queues what follows a success that leaves no record", async () => {
    await using backend = await openEmpty(suite);

    await runTask(backend, newTask("t"), (delivery) => succeededUnkept(delivery, { followUps: [hookOf("t")] }));

    assert.equal(await stateOf(backend, "hook of t"), "queued");
  });

  it("queues a follow-up once, however often its id comes", async () => {
    await using backend = await openEmpty(suite);
    const followUps = [newTask("next", { queue: "other" })];

    for (const name of ["a", "b"]) await runTask(backend, newTask(name), (taken) => succeeded(taken, { followUps }));

    assert.equal(await backend.broker.queueSize("other"), 1);
  });

  it("stores the ending also when a follow-up's unique key is taken", async () => {
    await using backend = await openEmpty(suite);
    const unique: UniqueKey = { key: "k", until: "finished", forMs: null };
    await backend.store.submit([newTask("holder", { unique, delayMs: 60_000 })]);
    const followUps = [newTask("refused", { unique }), newTask("next")];

    await runTask(backend, newTask("t"), (delivery) => succeeded(delivery, { followUps }));

    const states = await Promise.all(["t", "refused", "next"].map((name) => stateOf(backend, name)));
    assert.deepEqual(states, ["succeeded", "unknown", "queued"]);
  });

  it("queues nothing of a settlement that was refused, in the same batch as others", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("a"), newTask("b")]);
    const owner = await consumer(backend.broker);
    const [a, b] = await owner.take(atOnce);
    await finishOne(backend, owner, succeeded(a!));

    await backend.store.finish(owner.id, [
      succeeded(a!, { followUps: [hookOf("a")] }),
      succeeded(b!, { followUps: [hookOf("b")] }),
    ]);

    assert.equal(await stateOf(backend, "hook of a"), "unknown");
    assert.equal(await stateOf(backend, "hook of b"), "queued");
  });
}
