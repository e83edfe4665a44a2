import assert from "node:assert/strict";
import { atOnce, consumer, inTime, message, messages, names, takeAll } from "../messages.js";
import { newPlace, openEmpty, type Suite } from "../suite.js";
import { soon } from "../waiting.js";

/** Who gets what, and how long it waits for it. */
export function takePromises(suite: Suite): void {
  suite.describe("take", () => {
    sharingPromises(suite);
    queuePromises(suite);
    waitingPromises(suite);
  });
}

function sharingPromises(suite: Suite): void {
  const { it } = suite;

  it("hands each message to one consumer only, however many ask at once (P250)", async () => {
    await using backend = await openEmpty(suite);
    const sent = messages(200);
    await backend.broker.enqueue("q", sent);

    const consumers = await Promise.all(Array.from({ length: 8 }, () => consumer(backend.broker)));
    const taken = await Promise.all(consumers.map((one) => takeAll(one, 7)));

    assert.deepEqual(names(taken.flat()).toSorted(), names(sent).toSorted());
  });

  it("hands out at most `max` (P264)", async () => {
    await using backend = await openEmpty(suite);
    await backend.broker.enqueue("q", messages(5));
    const owner = await consumer(backend.broker);

    assert.equal((await owner.take({ max: 2, waitMs: 0 })).length, 2);
    assert.equal((await owner.take({ max: 2, waitMs: 0 })).length, 2);
    assert.equal((await owner.take({ max: 2, waitMs: 0 })).length, 1);
  });

  it("does not hand out twice what a consumer holds (P242)", async () => {
    await using backend = await openEmpty(suite);
    await backend.broker.enqueue("q", [message("m")]);
    const owner = await consumer(backend.broker);
    const other = await consumer(backend.broker);
    await owner.take(atOnce);

    assert.deepEqual(await owner.take(atOnce), []);
    assert.deepEqual(await other.take(atOnce), []);
  });

  it("says of a new message that it was delivered once and attempted never", async () => {
    await using backend = await openEmpty(suite);
    await backend.broker.enqueue("q", [message("m")]);

    const [taken] = await (await consumer(backend.broker)).take(atOnce);

    assert.equal(taken?.deliveries, 1);
    assert.equal(taken?.attempts, 0);
    assert.equal(taken?.starts, 0);
    assert.equal(taken?.expired, false);
  });

  it("gives every consumer an id of its own", async () => {
    await using backend = await openEmpty(suite);
    const consumers = await Promise.all(Array.from({ length: 50 }, () => consumer(backend.broker)));
    for (const one of consumers) await one.close();
    const later = await consumer(backend.broker);

    const ids = [...consumers, later].map((one) => one.id);

    assert.equal(new Set(ids).size, 51);
  });
}

function queuePromises(suite: Suite): void {
  const { it } = suite;

  it("looks only into the consumer's queues", async () => {
    await using backend = await openEmpty(suite);
    await backend.broker.enqueue("media", [message("image")]);
    await backend.broker.enqueue("mail", [message("letter")]);
    await backend.broker.enqueue("other", [message("not mine")]);

    const owner = await consumer(backend.broker, { queues: ["media", "mail"] });

    assert.deepEqual(names(await takeAll(owner)).toSorted(), ["image", "letter"]);
  });

  it("looks into the queues of `from` in that order, and into no other", async () => {
    await using backend = await openEmpty(suite);
    await backend.broker.enqueue("a", [message("a1"), message("a2")]);
    await backend.broker.enqueue("b", [message("b1")]);
    await backend.broker.enqueue("c", [message("c1")]);
    const owner = await consumer(backend.broker, { queues: ["a", "b", "c"] });

    const first = await owner.take({ max: 2, waitMs: 0, from: ["b", "a"] });
    const rest = await owner.take({ max: 10, waitMs: 0, from: ["b", "a"] });

    assert.deepEqual(names(first), ["b1", "a1"]);
    assert.deepEqual(names(rest), ["a2"]);
  });
}

function waitingPromises(suite: Suite): void {
  const { it, clock } = suite;

  it("comes back empty when the wait is over (P253)", async () => {
    await using backend = await openEmpty(suite);
    const owner = await consumer(backend.broker);

    assert.deepEqual(await soon("an empty take ends", owner.take({ max: 1, waitMs: 30 })), []);
  });

  it("wakes when a message arrives (P254)", async () => {
    await using backend = await openEmpty(suite);
    const owner = await consumer(backend.broker);
    const waiting = owner.take(inTime);

    await backend.broker.enqueue("q", [message("m")]);

    assert.deepEqual(names(await soon("the waiting take gets the message", waiting)), ["m"]);
  });

  it("wakes for a message that another process of the same store enqueues (P254)", async () => {
    const place = newPlace();
    await using backend = await openEmpty(suite, { place });
    await using elsewhere = await openEmpty(suite, { place });
    const owner = await consumer(backend.broker);
    const waiting = owner.take(inTime);

    await elsewhere.broker.enqueue("q", [message("m")]);

    assert.deepEqual(names(await soon("the waiting take gets the message", waiting)), ["m"]);
  });

  it("wakes when a delayed message becomes due", async () => {
    await using backend = await openEmpty(suite);
    await backend.broker.enqueue("q", [message("m", { delayMs: 50 })]);
    const owner = await consumer(backend.broker);
    const waiting = owner.take(inTime);

    await clock.advance(51);

    assert.deepEqual(names(await soon("the waiting take gets the delayed message", waiting)), ["m"]);
  });

  it("wakes when another consumer gives a message back", async () => {
    await using backend = await openEmpty(suite);
    await backend.broker.enqueue("q", messages(2));
    const first = await consumer(backend.broker);
    const second = await consumer(backend.broker);
    const [held] = await first.take(atOnce);
    const waiting = second.take(inTime);

    await first.release([held!.receipt]);

    assert.deepEqual(names(await soon("the released message is taken", waiting)), ["m0"]);
    const again = second.take(inTime);
    await first.close();
    assert.deepEqual(names(await soon("what the closed consumer held is taken", again)), ["m1"]);
  });

  it("hands one message to one of many waiting consumers (P004)", async () => {
    await using backend = await openEmpty(suite);
    const consumers = await Promise.all(Array.from({ length: 5 }, () => consumer(backend.broker)));
    const end = new AbortController();
    const waiting = consumers.map((one) => one.take({ ...inTime, signal: end.signal }));

    await backend.broker.enqueue("q", [message("m")]);
    await soon("one of them gets it", Promise.race(waiting));
    end.abort();

    const taken = await soon("the others end", Promise.all(waiting));
    assert.deepEqual(names(taken.flat()), ["m"]);
  });

  it("comes back empty when its signal aborts, before the call or while it waits", async () => {
    await using backend = await openEmpty(suite);
    const owner = await consumer(backend.broker);
    const end = new AbortController();
    const waiting = owner.take({ ...inTime, signal: end.signal });

    end.abort();

    assert.deepEqual(await soon("the waiting take ends", waiting), []);
    assert.deepEqual(await soon("a late take ends", owner.take({ ...inTime, signal: end.signal })), []);
  });

  it("loses nothing to a take that was aborted", async () => {
    await using backend = await openEmpty(suite);
    const owner = await consumer(backend.broker);
    const end = new AbortController();
    const waiting = owner.take({ ...inTime, signal: end.signal });
    const sent = backend.broker.enqueue("q", [message("m")]);
    end.abort();

    const taken = [...(await soon("the take ends", waiting)), ...(await sent, await owner.take(atOnce))];

    assert.deepEqual(names(taken), ["m"]);
  });
}
