import assert from "node:assert/strict";
import { atOnce, consumer, idOf, names, takeAll, takeOne } from "../messages.js";
import { openEmpty, type Suite } from "../suite.js";
import {
  cancelled,
  failed,
  finishOne,
  givenBack,
  hookOf,
  newTask,
  retrying,
  stateOf,
  stored,
  succeeded,
} from "../tasks.js";

/** Endings after which a task runs again. */
export function retryPromises(suite: Suite): void {
  suite.describe("retries", () => {
    countedPromises(suite);
    uncountedPromises(suite);
  });
}

function countedPromises(suite: Suite): void {
  const { it, clock } = suite;

  it("waits for the delay, and counts the attempt (P361)", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t")]);
    const owner = await consumer(backend.broker);

    const settlement = retrying(1_000)(await takeOne(owner));
    await finishOne(backend, owner, settlement);

    const { state, attempts, startedAt, worker } = await stored(backend, "t");
    const { attempt } = settlement;
    assert.deepEqual([state, attempts, startedAt, worker], ["retrying", 1, attempt?.startedAt, attempt?.worker]);
    assert.deepEqual(await owner.take(atOnce), []);
    await clock.advance(1_001);
    assert.equal(await stateOf(backend, "t"), "retrying");
    const again = await takeOne(owner);
    assert.deepEqual([again.attempts, again.starts, again.deliveries], [1, 1, 1]);
    assert.equal(await stateOf(backend, "t"), "running");
  });

  it("keeps every attempt, in the order in which they started (P361, P373)", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t")]);
    const owner = await consumer(backend.broker);
    const endings = [retrying(0), givenBack(), retrying(0), failed];

    const recorded = [];
    for (const end of endings) {
      const settlement = end(await takeOne(owner));
      await finishOne(backend, owner, settlement);
      recorded.push(settlement.attempt);
      await clock.advance(1);
    }

    const attempts = await backend.store.attempts(idOf("t"));
    assert.deepEqual(attempts, recorded);
    assert.deepEqual(
      attempts.map((attempt) => [attempt.number, attempt.ending, attempt.counted]),
      [
        [1, "error", true],
        [2, "released", false],
        [3, "error", true],
        [4, "error", true],
      ],
    );
    const task = await stored(backend, "t");
    assert.deepEqual([task.state, task.attempts, task.startedAt], ["failed", 3, recorded.at(-1)?.startedAt]);
  });

  it("forgets unfinished deliveries once an attempt has ended", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t")]);
    const owner = await consumer(backend.broker);
    await owner.release([(await takeOne(owner)).receipt], { suspect: true });

    await finishOne(backend, owner, retrying(0)(await takeOne(owner)));

    assert.equal((await takeOne(owner)).deliveries, 1);
  });

  it("queues what follows an attempt that is retried", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t")]);
    const owner = await consumer(backend.broker);

    await finishOne(backend, owner, retrying(60_000)(await takeOne(owner), { followUps: [hookOf("t")] }));

    assert.deepEqual(names(await takeAll(owner)), ["hook of t"]);
  });

  it("lets a retry succeed, and keeps no error (P362)", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t")]);
    const owner = await consumer(backend.broker);

    await finishOne(backend, owner, retrying(0)(await takeOne(owner)));
    await finishOne(backend, owner, succeeded(await takeOne(owner)));

    const task = await stored(backend, "t");
    assert.deepEqual([task.state, task.attempts, task.error], ["succeeded", 2, null]);
  });

  it("counts no attempt that was cancelled", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t")]);
    const owner = await consumer(backend.broker);

    await finishOne(backend, owner, retrying(0)(await takeOne(owner)));
    await finishOne(backend, owner, cancelled(await takeOne(owner)));

    const task = await stored(backend, "t");
    assert.deepEqual([task.state, task.attempts], ["cancelled", 1]);
  });
}

function uncountedPromises(suite: Suite): void {
  const { it, clock } = suite;

  it("gives back without fault: on record, not counted, in its old place", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t"), newTask("u")]);
    const owner = await consumer(backend.broker);

    await finishOne(backend, owner, givenBack()(await takeOne(owner)));

    assert.equal(await stateOf(backend, "t"), "queued");
    const again = await takeOne(owner);
    assert.equal(again.envelope, "t");
    assert.deepEqual([again.attempts, again.starts, again.deliveries], [0, 1, 1]);
  });

  it("gives back what never started, without an attempt on record", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t")]);
    const owner = await consumer(backend.broker);

    await finishOne(backend, owner, givenBack(500)(await takeOne(owner), { attempt: null }));

    assert.deepEqual(await owner.take(atOnce), []);
    assert.deepEqual(await backend.store.attempts(idOf("t")), []);
    await clock.advance(501);
    assert.equal((await takeOne(owner)).starts, 0);
  });

  it("makes a suspect of what may have killed its worker", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t")]);
    const owner = await consumer(backend.broker);

    await finishOne(backend, owner, givenBack(0, true)(await takeOne(owner)));

    const again = await takeOne(owner);
    assert.ok(again.deliveries > 2, `deliveries is ${again.deliveries}, and a suspect has more than 2`);
    assert.equal(again.attempts, 0);
  });
}
