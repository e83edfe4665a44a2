import assert from "node:assert/strict";
import { atOnce, consumer, idOf, names, takeAll, takeOne } from "../messages.js";
import { newPlace, openEmpty, type Suite } from "../suite.js";
import { finishOne, newTask, stateOf, stored, succeeded } from "../tasks.js";

/** New tasks: stored and queued in one write, and once. */
export function submitPromises(suite: Suite): void {
  suite.describe("submit", () => {
    contentPromises(suite);
    repetitionPromises(suite);
    duePromises(suite);
  });
}

function contentPromises(suite: Suite): void {
  const { it } = suite;

  it("stores a task with all that was said of it, and queues it (P355)", async () => {
    await using backend = await openEmpty(suite);
    const task = newTask("t", { func: "f".repeat(256), name: "n".repeat(100), group: "g".repeat(100), priority: -7 });

    const answers = await backend.store.submit([task]);

    assert.deepEqual(answers, [{ id: task.id, created: true }]);
    const { id, queue, envelope, func, name, group, kind, parent, priority, ...rest } = await stored(backend, "t");
    const said = { id, queue, envelope, func, name, group, kind, parent, priority };
    const { delayMs: _, dueAt: __, expiresMs: ___, unique: ____, ...expected } = task;
    assert.deepEqual(said, expected);
    const { queuedAt, dueAt, ...empty } = rest;
    assert.equal(dueAt, queuedAt);
    const never = { startedAt: null, stoppedAt: null, worker: null, result: null, error: null };
    assert.deepEqual(empty, { state: "queued", attempts: 0, ...never });
    assert.equal((await takeOne(await consumer(backend.broker))).id, task.id);
  });

  it("keeps an envelope of 200 KB and names in any script as they are", async () => {
    await using backend = await openEmpty(suite);
    const strange = "Größe 漢字 👩‍🚀 '\"\\ %_*? \u2028";
    const envelope = `${strange}\n${"é".repeat(100_000)}`;

    await backend.store.submit([
      newTask("t", { envelope, func: strange, name: strange, group: strange, queue: strange }),
    ]);

    const task = await stored(backend, "t");
    assert.equal(task.envelope, envelope);
    assert.deepEqual([task.func, task.name, task.group, task.queue], [strange, strange, strange, strange]);
    assert.equal((await takeOne(await consumer(backend.broker, { queues: [strange] }))).envelope, envelope);
  });

  it("takes 1,000 tasks in one call, and queues them in their order", async () => {
    await using backend = await openEmpty(suite);
    const tasks = Array.from({ length: 1_000 }, (_, index) => newTask(`t${index}`));

    const answers = await backend.store.submit(tasks);

    assert.deepEqual(
      answers,
      tasks.map((task) => ({ id: task.id, created: true })),
    );
    assert.deepEqual(names(await takeAll(await consumer(backend.broker), 1_000)), names(tasks));
  });

  it("takes an empty list", async () => {
    await using backend = await openEmpty(suite);

    assert.deepEqual(await backend.store.submit([]), []);
  });

  it("queues tasks of several queues in one call, with their priorities", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([
      newTask("low", { priority: -100 }),
      newTask("high", { priority: 100 }),
      newTask("elsewhere", { queue: "media" }),
    ]);

    assert.deepEqual(names(await takeAll(await consumer(backend.broker))), ["high", "low"]);
    assert.equal(await backend.broker.queueSize("media"), 1);
  });
}

function repetitionPromises(suite: Suite): void {
  const { it } = suite;

  it("changes nothing when an id comes again, in the same call or later", async () => {
    await using backend = await openEmpty(suite);
    const again = newTask("t", { envelope: "again", queue: "other", group: "late" });

    const first = await backend.store.submit([newTask("t"), again]);
    const second = await backend.store.submit([again, newTask("u")]);

    const known = { id: idOf("t"), created: false };
    assert.deepEqual(first, [{ ...known, created: true }, known]);
    assert.deepEqual(second, [known, { id: idOf("u"), created: true }]);
    assert.equal((await stored(backend, "t")).group, null);
    assert.equal(await backend.broker.queueSize(), 2);
  });

  it("does not run a task again when its id comes again while it runs or after its end", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t")]);
    const owner = await consumer(backend.broker);
    const delivery = await takeOne(owner);

    const whileHeld = await backend.store.submit([newTask("t")]);
    await finishOne(backend, owner, succeeded(delivery));
    const afterEnd = await backend.store.submit([newTask("t")]);

    assert.deepEqual(
      [...whileHeld, ...afterEnd].map(({ created }) => created),
      [false, false],
    );
    assert.deepEqual(await owner.take(atOnce), []);
    assert.equal(await stateOf(backend, "t"), "succeeded");
  });

  it("creates a task once when many producers send it at the same time", async () => {
    const place = newPlace();
    await using backend = await openEmpty(suite, { place });
    await using elsewhere = await openEmpty(suite, { place });
    const producers = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? backend : elsewhere));

    const answers = await Promise.all(producers.map(({ store }) => store.submit([newTask("t"), newTask("u")])));

    const created = answers.flat().filter((answer) => answer.created);
    assert.deepEqual(created.map(({ id }) => id).toSorted(), [idOf("t"), idOf("u")].toSorted());
    assert.equal(await backend.broker.queueSize("q"), 2);
  });
}

function duePromises(suite: Suite): void {
  const { it, clock } = suite;

  for (const [what, delayMs, instant, expected] of [
    ["the delay, when it is later than the instant", 2_000, 1_000, 2_000],
    ["the instant, when it is later than the delay", 1_000, 2_000, 2_000],
    ["the instant alone", 0, 2_000, 2_000],
    ["neither, when the instant has passed", 0, -2_000, 0],
  ] as const) {
    it(`is due after ${what}`, async () => {
      await using backend = await openEmpty(suite);
      const now = await backend.store.now();

      await backend.store.submit([newTask("t", { delayMs, dueAt: now + instant })]);

      const { dueAt, queuedAt } = await stored(backend, "t");
      // A real clock moves on between the two calls.
      const late = instant > delayMs ? 0 : queuedAt - now;
      assert.equal(dueAt - now, expected + late);
    });
  }

  it("reads as scheduled until it is due, then as queued, then as running", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t", { delayMs: 1_000 })]);

    const states = [await stateOf(backend, "t")];
    await clock.advance(1_001);
    states.push(await stateOf(backend, "t"));
    await takeOne(await consumer(backend.broker));
    states.push(await stateOf(backend, "t"));

    assert.deepEqual(states, ["scheduled", "queued", "running"]);
  });

  it("says that a task has expired once its time is over, and marks it when it is taken", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t", { expiresMs: 1_000 }), newTask("u", { expiresMs: 60_000 })]);
    const before = await stateOf(backend, "t");

    await clock.advance(1_001);

    assert.deepEqual([before, await stateOf(backend, "t")], ["queued", "expired"]);
    assert.deepEqual(await backend.store.finished([idOf("t")]), []);
    const taken = await takeAll(await consumer(backend.broker));
    assert.deepEqual(
      taken.map(({ envelope, expired }) => [envelope, expired]),
      [
        ["t", true],
        ["u", false],
      ],
    );
  });

  it("lets a task that started in time run past its expiry", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("t", { expiresMs: 1_000 })]);
    const owner = await consumer(backend.broker);
    const delivery = await takeOne(owner);

    await clock.advance(2_000);

    assert.equal(await stateOf(backend, "t"), "running");
    await finishOne(backend, owner, succeeded(delivery));
    assert.equal(await stateOf(backend, "t"), "succeeded");
  });
}
