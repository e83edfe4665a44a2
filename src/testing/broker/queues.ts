import assert from "node:assert/strict";
import type { Broker, ListedMessage } from "../../contracts/broker.js";
import { atOnce, consumer, message, messages, names, takeAll, takeOne } from "../messages.js";
import { itIf, newPlace, openEmpty, type BrokerSuite } from "../suite.js";

/** Looking at queues, emptying them, and who sees them. */
export function queuePromises(suite: BrokerSuite): void {
  sizePromises(suite);
  listPromises(suite);
  removalPromises(suite);
  placePromises(suite);
}

function sizePromises(suite: BrokerSuite): void {
  const { describe, it } = suite;

  describe("sizes", () => {
    it("counts what waits apart from what is held, of one queue and of all (P249)", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", [...messages(3), message("delayed", { delayMs: 60_000 })]);
      await backend.broker.enqueue("media", [message("image")]);
      const owner = await consumer(backend.broker);

      await owner.take({ max: 1, waitMs: 0 });

      assert.equal(await backend.broker.queueSize("q"), 3);
      assert.equal(await backend.broker.lockSize("q"), 1);
      assert.equal(await backend.broker.queueSize(), 4);
      assert.equal(await backend.broker.lockSize(), 1);
    });

    it("says 0 of a queue nobody has used", async () => {
      await using backend = await openEmpty(suite);

      assert.equal(await backend.broker.queueSize("nothing here"), 0);
      assert.equal(await backend.broker.lockSize("nothing here"), 0);
    });
  });
}

function listPromises(suite: BrokerSuite): void {
  const { describe, clock, capabilities } = suite;
  const it = itIf(suite, capabilities.list, "capabilities.list is false");

  describe("list", () => {
    it("shows what waits by priority, then due time, then enqueue order, and takes nothing (P370)", async () => {
      await using backend = await openEmpty(suite);
      const priority = capabilities.priority ? 5 : 0;
      await backend.broker.enqueue("q", [message("urgent", { priority }), message("a"), message("b")]);
      await backend.broker.enqueue("q", [message("delayed", { delayMs: 60_000 })]);

      const listed = await backend.broker.list("q", { limit: 10 });

      assert.deepEqual(names(listed), ["urgent", "a", "b", "delayed"]);
      assert.equal(listed[0]?.priority, priority);
      const laterMs = listed[3]!.dueAt - listed[2]!.dueAt;
      // With a clock that runs, the two calls were made at different times.
      assert.ok(laterMs >= 60_000 && laterMs < (clock.isManual ? 60_001 : 70_000), `due ${laterMs} ms later`);
      assert.equal(await backend.broker.queueSize("q"), 4);
    });

    it("goes on after a cursor, also when what it pointed at was taken meanwhile", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", messages(5));
      await clock.advance(5);
      await backend.broker.enqueue("q", [message("m5"), message("m6", { delayMs: 60_000 })]);
      const first = await backend.broker.list("q", { limit: 2 });
      assert.equal((await takeAll(await consumer(backend.broker), 3)).length, 6);
      await backend.broker.enqueue("q", [message("new")]);

      const rest = await pages(backend.broker, 2, first.at(-1)?.cursor);

      assert.deepEqual(names(first), ["m0", "m1"]);
      assert.deepEqual(names(rest.filter(({ held }) => !held)), ["new", "m6"]);
    });

    it("pages through 1,000 messages without leaving one out or showing one twice", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", messages(1_000));

      const seen = await pages(backend.broker, 137);

      assert.deepEqual(names(seen), names(messages(1_000)));
    });

    it("marks held messages, if it shows them at all", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", messages(3));
      const owner = await consumer(backend.broker);
      await takeOne(owner);

      const listed = await backend.broker.list("q", { limit: 10 });

      assert.deepEqual(names(listed.filter((one) => !one.held)), ["m1", "m2"]);
    });
  });
}

/** What is listed after a cursor, page by page. */
async function pages(broker: Broker, limit: number, start?: string): Promise<ListedMessage[]> {
  const all: ListedMessage[] = [];
  for (let after = start; all.length < 5_000; after = all.at(-1)?.cursor) {
    const page = await broker.list("q", { limit, after });
    if (page.length === 0) return all;
    all.push(...page);
  }
  throw new Error(`Expected the list to end at some time, and it showed ${all.length} messages.`);
}

function removalPromises(suite: BrokerSuite): void {
  const { describe, it } = suite;

  describe("purge and deleteQueue", () => {
    it("purges what waits, and leaves what is held and what is in other queues (P252)", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", [...messages(4), message("delayed", { delayMs: 60_000 })]);
      await backend.broker.enqueue("other", [message("kept")]);
      const owner = await consumer(backend.broker);
      const held = await takeOne(owner);

      const removed = await backend.broker.purge("q");

      assert.equal(removed, 4);
      assert.equal(await backend.broker.queueSize("q"), 0);
      assert.equal(await backend.broker.queueSize("other"), 1);
      assert.deepEqual(await owner.acknowledge([held.receipt]), [true]);
    });

    it("deletes a queue with everything in it, held messages too (P252)", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", messages(3));
      await backend.broker.enqueue("other", [message("kept")]);
      const owner = await consumer(backend.broker);
      const held = await takeOne(owner);

      const removed = await backend.broker.deleteQueue("q");

      assert.equal(removed, 3);
      assert.equal(await backend.broker.queueSize(), 1);
      assert.equal(await backend.broker.lockSize(), 0);
      assert.deepEqual(await owner.acknowledge([held.receipt]), [false]);
    });

    it("takes messages again after a queue was deleted", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", [message("m")]);
      await backend.broker.deleteQueue("q");

      await backend.broker.enqueue("q", [message("m")]);

      assert.deepEqual(names(await (await consumer(backend.broker)).take(atOnce)), ["m"]);
    });

    it("says 0 of a queue nobody has used", async () => {
      await using backend = await openEmpty(suite);

      assert.equal(await backend.broker.purge("nothing here"), 0);
      assert.equal(await backend.broker.deleteQueue("nothing here"), 0);
    });
  });
}

function placePromises(suite: BrokerSuite): void {
  const { describe, it, capabilities } = suite;

  describe("place", () => {
    it("answers a ping with the round trip in milliseconds, and names itself in one line (P256)", async () => {
      await using backend = await openEmpty(suite);

      const ms = await backend.broker.ping();
      const info = await backend.broker.info();

      assert.ok(ms >= 0 && ms < 60_000, `ping said ${ms}`);
      assert.match(info, /^\S[^\n]*$/);
    });

    it("declares what the suite was told", async () => {
      await using backend = await openEmpty(suite);

      assert.deepEqual({ ...backend.broker.capabilities }, { ...capabilities });
    });

    it("shows every opening of a place the same queues (P239, P246)", async () => {
      const place = newPlace();
      await using one = await openEmpty(suite, { place });
      await using other = await openEmpty(suite, { place });
      await one.broker.enqueue("q", messages(2));
      const owner = await consumer(one.broker);
      await takeOne(owner);

      assert.equal(await other.broker.queueSize("q"), 1);
      assert.equal(await other.broker.lockSize("q"), 1);
      assert.deepEqual(names(await (await consumer(other.broker)).take(atOnce)), ["m1"]);
    });

    it("keeps the queues of another project apart, under the same names and ids (P012)", async () => {
      const place = newPlace();
      await using shop = await openEmpty(suite, { place, project: "shop" });
      await using blog = await openEmpty(suite, { place, project: "blog" });
      await shop.broker.enqueue("q", [message("m")]);
      await blog.broker.enqueue("q", [message("m", { envelope: "of the blog" })]);

      const taken = await (await consumer(blog.broker)).take(atOnce);

      assert.deepEqual(names(taken), ["of the blog"]);
      assert.equal(await shop.broker.queueSize(), 1);
      assert.equal(await blog.broker.deleteQueue("q"), 1);
      assert.equal(await shop.broker.purge("q"), 1);
    });
  });
}
