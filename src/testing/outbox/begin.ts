import assert from "node:assert/strict";
import { consumer, idOf } from "../messages.js";
import { newPlace } from "../suite.js";
import { attemptOf, newTask, stateOf, stored, succeeded, succeededUnkept } from "../tasks.js";
import { outlive, shortLease } from "../waiting.js";
import { answers, beginOne, finish, hold, openOutbox, times, unsent, type OutboxSuite } from "./open.js";

/** What may start, when the broker has handed out its message. */
export function beginPromises(suite: OutboxSuite): void {
  suite.describe("begin", () => {
    answerPromises(suite);
    fencePromises(suite);
    leasePromises(suite);
  });
}

function answerPromises(suite: OutboxSuite): void {
  const { it, clock } = suite;

  it("hands out the task as the store knows it, sent or not", async () => {
    await using backend = await openOutbox(suite);
    const owner = await hold(backend);
    await backend.store.submit([newTask("t", { queue: "media", expiresMs: 60_000 })]);

    const delivery = await beginOne(owner, "t");

    const { receipt: _, queuedAt, dueAt, ...facts } = delivery;
    const counts = { deliveries: 1, attempts: 0, starts: 0, expired: false };
    assert.deepEqual(facts, { id: idOf("t"), queue: "media", envelope: "t", ...counts });
    const task = await stored(backend, "t");
    assert.deepEqual([task.queuedAt, task.dueAt, task.state], [queuedAt, dueAt, "running"]);
    assert.equal(await backend.broker.lockSize("media"), 1);
  });

  it("answers each id in its order: begun, finished, unknown, later", async () => {
    await using backend = await openOutbox(suite);
    const owner = await hold(backend);
    const other = await hold(backend);
    const all = ["a", "succeeded", "unkept", "cancelled", "held", "delayed", "b"];
    await backend.store.submit(all.map((name) => newTask(name, { delayMs: name === "delayed" ? 30_000 : 0 })));
    await finish(backend, owner, succeeded(await beginOne(owner, "succeeded")));
    await finish(backend, owner, succeededUnkept(await beginOne(owner, "unkept")));
    await backend.store.cancel(idOf("cancelled"));
    await beginOne(other, "held");

    const words = await answers(owner, ...all, "nobody");

    assert.deepEqual(words, ["begun", "finished", "unknown", "finished", "later", "later", "begun", "unknown"]);
    assert.deepEqual(await owner.begin([]), []);
  });

  it("says how long a task is not due, or held by somebody else", async () => {
    await using backend = await openOutbox(suite);
    const owner = await hold(backend);
    const other = await hold(backend, { leaseMs: 20_000 });
    await backend.store.submit([newTask("held"), newTask("delayed", { delayMs: 30_000 })]);
    await beginOne(other, "held");

    const [held, delayed] = await owner.begin([idOf("held"), idOf("delayed")]);

    assert.ok(held?.as === "later" && held.delayMs > 0, JSON.stringify(held));
    assert.ok(
      delayed?.as === "later" && delayed.delayMs > 25_000 && delayed.delayMs <= 30_000,
      JSON.stringify(delayed),
    );
  });

  it("marks a task that has expired", async () => {
    await using backend = await openOutbox(suite);
    const owner = await hold(backend);
    await backend.store.submit([newTask("t", { expiresMs: 500 })]);

    await clock.advance(501);

    assert.equal((await beginOne(owner, "t")).expired, true);
  });

  it("frees a key that holds until the start", async () => {
    await using backend = await openOutbox(suite);
    const owner = await hold(backend);
    const unique = { key: "k", until: "started", forMs: null } as const;
    await backend.store.submit([newTask("t", { unique })]);

    await beginOne(owner, "t");

    const [answer] = await backend.store.submit([newTask("u", { unique })]);
    assert.deepEqual(answer, { id: idOf("u"), created: true });
  });

  it("answers the same again when it is asked again: nothing is counted twice", async () => {
    await using backend = await openOutbox(suite);
    const owner = await hold(backend);
    await backend.store.submit([newTask("t")]);
    const first = await beginOne(owner, "t");

    const again = await beginOne(owner, "t");

    assert.deepEqual(again, first);
    await finish(backend, owner, succeeded(again));
    assert.equal(await stateOf(backend, "t"), "succeeded");
  });
}

function fencePromises(suite: OutboxSuite): void {
  const { it, clock } = suite;

  it("lets one of many begin a task, however many copies the broker hands out", async () => {
    const place = newPlace();
    await using backend = await openOutbox(suite, {}, place);
    await using elsewhere = await openOutbox(suite, {}, place);
    const all = Array.from({ length: 40 }, (_, index) => `t${index}`);
    await backend.store.submit(all.map((name) => newTask(name)));
    const holds = await Promise.all([backend, elsewhere, backend, elsewhere].map((one) => hold(one)));

    const words = await Promise.all(holds.map((one) => answers(one, ...all)));

    for (const index of all.keys()) {
      const begun = words.filter((own) => own[index] === "begun").length;
      assert.equal(begun, 1, `t${index} began ${begun} times`);
    }
  });

  it("is not shown as unsent while it is held, whatever was marked", async () => {
    await using backend = await openOutbox(suite);
    const owner = await hold(backend);
    await backend.store.submit([newTask("t")]);
    await beginOne(owner, "t");

    await backend.outbox.sent([idOf("t")]);
    await clock.advance(times.resendMs + 1);

    assert.deepEqual([await unsent(owner, ["t"]), await owner.missing("q", 10)], [[], []]);
  });

  it("knows what the store's own consumers hold, and the other way round (a cluster without the broker's address)", async () => {
    const place = newPlace();
    await using backend = await openOutbox(suite, {}, place);
    await using alone = await suite.open({ place, project: "shop", migrate: true });
    const owner = await hold(backend);
    await backend.store.submit([newTask("t"), newTask("free")]);
    await beginOne(owner, "t");

    const taken = await (await consumer(alone.broker)).take({ max: 10, waitMs: 0 });
    await clock.advance(times.handMs + 1);

    assert.deepEqual(
      taken.map(({ envelope }) => envelope),
      ["free"],
    );
    assert.deepEqual([await unsent(owner, ["free"]), await answers(owner, "free")], [[], ["later"]]);
  });
}

function leasePromises(suite: OutboxSuite): void {
  const { it, clock } = suite;
  const leaseMs = shortLease;

  it("takes over from the dead on its way, and puts on record what ran there", async () => {
    await using backend = await openOutbox(suite);
    const dead = await hold(backend, { leaseMs });
    const heir = await hold(backend, { leaseMs });
    await backend.store.submit([newTask("t"), newTask("ran")]);
    await beginOne(dead, "t");
    const ran = await beginOne(dead, "ran");
    await dead.renew([{ id: ran.id, startedAt: ran.dueAt, worker: "web-1:5" }]);
    assert.deepEqual(await answers(heir, "t"), ["later"]);

    await outlive(clock, heir);

    assert.equal((await beginOne(heir, "t")).deliveries, 2);
    const again = await beginOne(heir, "ran");
    assert.deepEqual([again.deliveries, again.attempts, again.starts], [1, 1, 1]);
    assert.equal((await backend.store.attempts(ran.id))[0]?.ending, "lost");
    const late = succeeded(ran, { attempt: attemptOf(ran) });
    assert.deepEqual(await backend.store.finish(dead.id, [late]), [false]);
  });

  it("rejects once the lease has ended or the hold was closed, also without ids, and begins nothing", async () => {
    await using backend = await openOutbox(suite);
    const closed = await hold(backend);
    const dead = await hold(backend, { leaseMs });
    const heir = await hold(backend, { leaseMs });
    await backend.store.submit([newTask("t")]);
    await closed.close();
    await outlive(clock, heir);
    await heir.begin([]);

    for (const late of [closed, dead]) {
      await assert.rejects(late.begin([]), { code: "QLUSTER_LEASE_LOST" });
      await assert.rejects(late.begin([idOf("t")]), { code: "QLUSTER_LEASE_LOST" });
      await assert.rejects(late.unsent(10), { code: "QLUSTER_LEASE_LOST" });
      await assert.rejects(late.renew([]), { code: "QLUSTER_LEASE_LOST" });
    }
    assert.equal(await stateOf(backend, "t"), "queued");
  });
}
