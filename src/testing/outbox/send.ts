import assert from "node:assert/strict";
import { idOf } from "../messages.js";
import { newPlace } from "../suite.js";
import { newTask, stateOf } from "../tasks.js";
import { hold, namesOf, openOutbox, times, unsent, type OutboxSuite } from "./open.js";

const { handMs, resendMs, missingMs } = times;

/** What has to be sent, when, and by whom. */
export function sendPromises(suite: OutboxSuite): void {
  suite.describe("unsent and sent", () => {
    writerPromises(suite);
    delayPromises(suite);
    sharingPromises(suite);
  });
  suite.describe("missing", () => missingPromises(suite));
}

function writerPromises(suite: OutboxSuite): void {
  const { it, clock } = suite;

  it("leaves a new task to who wrote it, and gives it to others when that one may have died", async () => {
    await using backend = await openOutbox(suite);
    const owner = await hold(backend);
    await backend.store.submit([newTask("t")]);

    const early = await unsent(owner, ["t"]);
    await clock.advance(handMs + 1);

    assert.deepEqual([early, await unsent(owner, ["t"])], [[], ["t"]]);
  });

  it("does not show what its writer has marked as sent", async () => {
    await using backend = await openOutbox(suite);
    const owner = await hold(backend);
    await backend.store.submit([newTask("t"), newTask("u")]);

    await backend.outbox.sent([idOf("t"), idOf("never heard of")]);
    await clock.advance(handMs + 1);

    assert.deepEqual(await unsent(owner, ["t", "u"]), ["u"]);
  });

  it("shows what the broker must have lost: sent, and not begun for long", async () => {
    await using backend = await openOutbox(suite);
    const owner = await hold(backend);
    await backend.store.submit([newTask("t"), newTask("later", { delayMs: 1_000 })]);
    await backend.outbox.sent([idOf("t"), idOf("later")]);

    await clock.advance(resendMs + 1);
    const first = await unsent(owner, ["t", "later"]);
    await clock.advance(1_000);

    assert.deepEqual([first, await unsent(owner, ["later", "t"])], [["t"], ["t", "later"]]);
  });

  it("tells all that a broker has to know, in the order of enqueueing", async () => {
    await using backend = await openOutbox(suite);
    const owner = await hold(backend);
    await backend.store.submit([
      newTask("a", { priority: -7 }),
      newTask("b", { queue: "media", priority: 9 }),
      newTask("c"),
    ]);
    await backend.broker.enqueue("q", [{ id: idOf("d"), envelope: "d", priority: 3, delayMs: 0 }]);

    await clock.advance(handMs + 1);

    const { messages } = await owner.unsent(10);
    assert.deepEqual(messages, [
      { id: idOf("a"), queue: "q", priority: -7, delayMs: 0 },
      { id: idOf("b"), queue: "media", priority: 9, delayMs: 0 },
      { id: idOf("c"), queue: "q", priority: 0, delayMs: 0 },
      { id: idOf("d"), queue: "q", priority: 3, delayMs: 0 },
    ]);
  });

  it("counts and shows what is not sent as waiting, and forgets what was cancelled", async () => {
    await using backend = await openOutbox(suite);
    const owner = await hold(backend);
    await backend.store.submit([newTask("t"), newTask("u")]);

    assert.equal(await backend.broker.queueSize("q"), 2);
    assert.equal(await stateOf(backend, "t"), "queued");
    assert.equal(await backend.store.cancel(idOf("t")), "cancelled");
    await clock.advance(handMs + 1);
    assert.deepEqual(await unsent(owner, ["t", "u"]), ["u"]);
  });
}

function delayPromises(suite: OutboxSuite): void {
  const { it, clock } = suite;

  it("keeps a long delay in the store until the broker can keep what is left of it", async () => {
    await using backend = await openOutbox(suite, { aheadMs: 1_000 });
    const owner = await hold(backend);
    await backend.store.submit([newTask("t", { delayMs: 2_500 })]);
    await clock.advance(handMs + 1);
    const early = await owner.unsent(10);

    await clock.advance(1_600 - handMs);
    const { messages } = await owner.unsent(10);

    assert.deepEqual(early.messages, []);
    assert.ok(early.nextInMs !== null && early.nextInMs > 0 && early.nextInMs <= 1_500 - handMs, `${early.nextInMs}`);
    assert.deepEqual(namesOf(messages, ["t"]), ["t"]);
    const left = messages[0]!.delayMs;
    assert.ok(left > 0 && left <= 900, `${left} ms are left`);
  });

  it("leaves what the broker can keep the rest of to its writer, and tells others the rest", async () => {
    await using backend = await openOutbox(suite);
    const owner = await hold(backend);
    await backend.store.submit([newTask("t", { delayMs: 30_000 })]);
    const early = await unsent(owner, ["t"]);

    await clock.advance(handMs + 1);
    const { messages } = await owner.unsent(10);

    assert.deepEqual([early, namesOf(messages, ["t"])], [[], ["t"]]);
    const left = messages[0]!.delayMs;
    assert.ok(left > 0 && left < 30_000, `${left} ms are left`);
  });

  it("says when to look again: never for an empty store, at once when there is more", async () => {
    await using backend = await openOutbox(suite);
    const owner = await hold(backend);
    const empty = await owner.unsent(10);
    await backend.store.submit([newTask("t"), newTask("u")]);
    const soon = await owner.unsent(10);
    await clock.advance(handMs + 1);

    const more = await owner.unsent(1);

    assert.deepEqual(empty, { messages: [], nextInMs: null });
    assert.ok(soon.nextInMs !== null && soon.nextInMs > 0 && soon.nextInMs <= handMs, `${soon.nextInMs}`);
    assert.deepEqual([more.messages.length, more.nextInMs], [1, 0]);
  });
}

function sharingPromises(suite: OutboxSuite): void {
  const { it, clock } = suite;

  it("hands each task to one caller, and to another one when that one does not mark it in time", async () => {
    const place = newPlace();
    await using backend = await openOutbox(suite, {}, place);
    await using elsewhere = await openOutbox(suite, {}, place);
    const holds = [await hold(backend), await hold(elsewhere), await hold(backend)];
    const all = Array.from({ length: 60 }, (_, index) => `t${index}`);
    await backend.store.submit(all.map((name) => newTask(name)));
    await clock.advance(handMs + 1);

    const looks = await Promise.all([...holds, ...holds].map((one) => one.unsent(20)));
    const handed = looks.flatMap(({ messages }) => namesOf(messages, all));
    await backend.outbox.sent(all.slice(1).map(idOf));
    await clock.advance(handMs + 1);

    assert.deepEqual(handed.toSorted(), all.toSorted());
    assert.deepEqual(await unsent(holds[1]!, all), ["t0"]);
  });

  it("takes 1,000 tasks in one call", async () => {
    await using backend = await openOutbox(suite);
    const owner = await hold(backend);
    const all = Array.from({ length: 1_000 }, (_, index) => newTask(`t${index}`));
    await backend.store.submit(all);
    await clock.advance(handMs + 1);

    const { messages } = await owner.unsent(1_000);
    await backend.outbox.sent(all.map(({ id }) => id));
    const begun = await owner.begin(all.map(({ id }) => id));

    assert.deepEqual(
      messages.map(({ id }) => id),
      all.map(({ id }) => id),
    );
    assert.equal(begun.filter(({ as }) => as === "begun").length, 1_000);
    assert.equal(await backend.broker.lockSize("q"), 1_000);
  });

  it("adopts what was written before the store had an outbox", async () => {
    const place = newPlace();
    await using before = await suite.open({ place, project: "shop", migrate: true });
    await before.store.submit([newTask("t"), newTask("later", { delayMs: 120_000 })]);
    await using backend = await openOutbox(suite, {}, place);

    const owner = await hold(backend);

    assert.deepEqual(await unsent(owner, ["t", "later"]), ["t"]);
  });

  it("keeps the tasks of another project apart", async () => {
    const place = newPlace();
    await using backend = await openOutbox(suite, {}, place);
    const options = { place, migrate: true, outbox: times };
    await using blog = await suite.open({ ...options, project: "blog" });
    await blog.store.submit([newTask("t")]);
    await clock.advance(handMs + 1);

    const owner = await hold(backend);

    assert.deepEqual(await unsent(owner, ["t"]), []);
    assert.deepEqual(await owner.begin([idOf("t")]), [{ as: "unknown" }]);
  });
}

function missingPromises(suite: OutboxSuite): void {
  const { it, clock } = suite;

  it("hands out what a broker with an empty queue must have lost, once", async () => {
    await using backend = await openOutbox(suite);
    const owner = await hold(backend);
    await backend.store.submit([newTask("t"), newTask("elsewhere", { queue: "media" })]);
    await backend.outbox.sent([idOf("t"), idOf("elsewhere")]);
    const early = await owner.missing("q", 10);
    await clock.advance(missingMs + 1);

    const lost = await owner.missing("q", 10);

    assert.deepEqual([early, namesOf(lost, ["t"]), await owner.missing("q", 10)], [[], ["t"], []]);
  });

  it("leaves out what is held, not due, or about to be sent", async () => {
    await using backend = await openOutbox(suite);
    const owner = await hold(backend);
    const all = ["held", "delayed", "about to be sent", "lost"];
    await backend.store.submit(all.map((name) => newTask(name, { delayMs: name === "delayed" ? 30_000 : 0 })));
    await backend.outbox.sent(["held", "delayed", "lost"].map(idOf));
    await owner.begin([idOf("held")]);
    await clock.advance(handMs + 1);
    await owner.unsent(10);
    await clock.advance(missingMs - handMs);

    assert.deepEqual(namesOf(await owner.missing("q", 10), all), ["lost"]);
  });
}
