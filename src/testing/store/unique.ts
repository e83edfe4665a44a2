import assert from "node:assert/strict";
import type { UniqueKey } from "../../contracts/store.js";
import { consumer, idOf, takeAll, takeOne } from "../messages.js";
import { newPlace, openEmpty, type Suite } from "../suite.js";
import {
  cancelled,
  expired,
  failed,
  finishOne,
  givenBack,
  newTask,
  retrying,
  runTask,
  stateOf,
  succeeded,
  succeededUnkept,
} from "../tasks.js";
import { outlive, shortLease } from "../waiting.js";

const unique: UniqueKey = { key: "core.tasks.resize a1", until: "finished", forMs: null };
const taken = { id: idOf("first"), created: false };
const free = { id: idOf("second"), created: true };

/** Only one task at a time has a key. */
export function uniquePromises(suite: Suite): void {
  suite.describe("unique keys", () => {
    holdingPromises(suite);
    freeingPromises(suite);
    startPromises(suite);
    limitPromises(suite);
  });
}

function holdingPromises(suite: Suite): void {
  const { it } = suite;

  it("answer with the first task, and change nothing, over all queues", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("first", { unique })]);

    const answers = await backend.store.submit([newTask("second", { unique, queue: "other" }), newTask("third")]);

    assert.deepEqual(answers, [taken, { id: idOf("third"), created: true }]);
    assert.equal(await stateOf(backend, "second"), "unknown");
    assert.equal(await backend.broker.queueSize("other"), 0);
  });

  it("hold within one call as well", async () => {
    await using backend = await openEmpty(suite);

    const answers = await backend.store.submit([newTask("first", { unique }), newTask("second", { unique })]);

    assert.deepEqual(answers, [{ ...taken, created: true }, taken]);
    assert.equal(await backend.broker.queueSize(), 1);
  });

  it("let one of many producers win, and tell the others which", async () => {
    const place = newPlace();
    await using backend = await openEmpty(suite, { place });
    await using elsewhere = await openEmpty(suite, { place });
    const producers = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? backend : elsewhere));

    const answers = await Promise.all(
      producers.map(({ store }, index) => store.submit([newTask(`t${index}`, { unique })])),
    );

    const [winner, ...others] = answers.flat().filter((answer) => answer.created);
    assert.deepEqual(others, []);
    assert.deepEqual(new Set(answers.flat().map(({ id }) => id)), new Set([winner?.id]));
    assert.equal(await backend.broker.queueSize(), 1);
  });

  it("do not hold for another key, nor in another project", async () => {
    const place = newPlace();
    await using backend = await openEmpty(suite, { place });
    await using blog = await openEmpty(suite, { place, project: "blog" });
    await backend.store.submit([newTask("first", { unique })]);

    const other = await backend.store.submit([
      newTask("second", { unique: { ...unique, key: "core.tasks.resize a2" } }),
    ]);

    assert.deepEqual(other, [free]);
    assert.deepEqual(await blog.store.submit([newTask("second", { unique })]), [free]);
  });

  it("hold on while the task is retried, given back or taken over", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("first", { unique })]);
    const owner = await consumer(backend.broker, { leaseMs: shortLease });
    const dead = await consumer(backend.broker, { leaseMs: shortLease });
    const answers = [];

    for (const end of [retrying(0), givenBack()]) {
      await finishOne(backend, owner, end(await takeOne(owner)));
      answers.push(...(await backend.store.submit([newTask("second", { unique })])));
    }
    await owner.release([(await takeOne(owner)).receipt]);
    answers.push(...(await backend.store.submit([newTask("second", { unique })])));
    await takeOne(dead);
    await outlive(suite.clock, owner);
    await takeOne(owner, { waitMs: 3_000 });
    answers.push(...(await backend.store.submit([newTask("second", { unique })])));

    assert.deepEqual(answers, [taken, taken, taken, taken]);
  });
}

function freeingPromises(suite: Suite): void {
  const { it, clock } = suite;

  for (const [ending, end] of [
    ["success", succeeded],
    ["success without a record", succeededUnkept],
    ["failure", failed],
    ["cancelling", cancelled],
    ["expiry", expired],
  ] as const) {
    it(`are freed by a final ${ending}`, async () => {
      await using backend = await openEmpty(suite);

      await runTask(backend, newTask("first", { unique }), end);

      assert.deepEqual(await backend.store.submit([newTask("second", { unique })]), [free]);
    });
  }

  it("are freed when a waiting task is cancelled", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("first", { unique, delayMs: 60_000 })]);

    await backend.store.cancel(idOf("first"));

    assert.deepEqual(await backend.store.submit([newTask("second", { unique })]), [free]);
  });

  it("are freed when a waiting task expires, also while no cluster runs", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("first", { unique, expiresMs: 1_000 })]);

    await clock.advance(1_001);

    assert.deepEqual(await backend.store.submit([newTask("second", { unique })]), [free]);
    assert.deepEqual(await backend.store.submit([newTask("third", { unique })]), [{ ...free, created: false }]);
  });

  it("stay with a new task when the expired one that had it ends later", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("first", { unique, expiresMs: 1_000 })]);
    await clock.advance(1_001);
    await backend.store.submit([newTask("second", { unique })]);
    const owner = await consumer(backend.broker);

    await finishOne(backend, owner, expired(await takeOne(owner)));

    assert.deepEqual(await backend.store.submit([newTask("third", { unique })]), [{ ...free, created: false }]);
  });

  it("are freed when the queue is purged or deleted", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("first", { unique })]);
    await backend.broker.purge("q");

    const afterPurge = await backend.store.submit([newTask("second", { unique })]);
    await takeAll(await consumer(backend.broker));
    await backend.broker.deleteQueue("q");
    const afterDelete = await backend.store.submit([newTask("third", { unique })]);

    assert.deepEqual(afterPurge, [free]);
    assert.deepEqual(afterDelete, [{ id: idOf("third"), created: true }]);
  });
}

function startPromises(suite: Suite): void {
  suite.it("with `until: started` hold while the task waits, and are free once it was handed out", async () => {
    await using backend = await openEmpty(suite);
    const untilStarted: UniqueKey = { ...unique, until: "started" };
    await backend.store.submit([newTask("first", { unique: untilStarted })]);

    const waiting = await backend.store.submit([newTask("second", { unique: untilStarted })]);
    const owner = await consumer(backend.broker);
    const delivery = await takeOne(owner);
    const started = await backend.store.submit([newTask("second", { unique: untilStarted })]);
    await finishOne(backend, owner, succeeded(delivery));
    const finished = await backend.store.submit([newTask("third", { unique: untilStarted })]);

    assert.deepEqual([waiting, started, finished].flat(), [taken, free, { ...free, created: false }]);
  });
}

function limitPromises(suite: Suite): void {
  const { it, clock } = suite;
  const forASecond: UniqueKey = { ...unique, forMs: 1_000 };

  it("with a limit are freed after it at the latest", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("first", { unique: forASecond })]);

    const within = await backend.store.submit([newTask("second", { unique: forASecond })]);
    await clock.advance(1_001);
    const after = await backend.store.submit([newTask("second", { unique: forASecond })]);

    assert.deepEqual([...within, ...after], [taken, free]);
  });

  it("with a limit are freed by the end of the task before it", async () => {
    await using backend = await openEmpty(suite);

    await runTask(backend, newTask("first", { unique: forASecond }));

    assert.deepEqual(await backend.store.submit([newTask("second", { unique: forASecond })]), [free]);
  });

  it("stay with a new task when the one that had it before the limit ends", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("first", { unique: forASecond })]);
    const owner = await consumer(backend.broker);
    const delivery = await takeOne(owner);
    await clock.advance(1_001);
    await backend.store.submit([newTask("second", { unique })]);

    await finishOne(backend, owner, succeeded(delivery));

    assert.deepEqual(await backend.store.submit([newTask("third", { unique })]), [{ ...free, created: false }]);
  });
}
