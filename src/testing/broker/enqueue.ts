import assert from "node:assert/strict";
import { atOnce, consumer, idOf, message, messages, names, takeAll, takeOne } from "../messages.js";
import { newPlace, openEmpty, type Suite } from "../suite.js";

/** What goes in comes out, once. */
export function enqueuePromises(suite: Suite): void {
  const { describe, it, clock } = suite;

  describe("enqueue", () => {
    it("carries an envelope of 200 KB unchanged, whatever its characters (P236, P248)", async () => {
      await using backend = await openEmpty(suite);
      const envelope = `{"a":"ü 漢字 👩‍🚀 '\\"\\\\ %s $1 \u2028"}\n${"é".repeat(100_000)}\n\tend`;

      await backend.broker.enqueue("q", [message("m", { envelope })]);

      const taken = await takeOne(await consumer(backend.broker));
      assert.equal(taken.envelope, envelope);
      assert.equal(taken.id, idOf("m"));
      assert.equal(taken.queue, "q");
    });

    it("takes queue names of any characters (P238)", async () => {
      await using backend = await openEmpty(suite);
      const queue = "Bestellungen:ü/👩‍🚀 {1}*?%_'\"";

      await backend.broker.enqueue(queue, [message("m")]);

      const owner = await consumer(backend.broker, { queues: [queue] });
      assert.deepEqual(names(await owner.take(atOnce)), ["m"]);
      assert.equal(await backend.broker.queueSize(queue), 0);
    });

    it("takes 1,000 messages in one call, and hands out each once, in order (P250, P251)", async () => {
      await using backend = await openEmpty(suite);
      const sent = messages(1_000);

      await backend.broker.enqueue("q", sent);

      const taken = await takeAll(await consumer(backend.broker), 1_000);
      assert.deepEqual(names(taken), names(sent));
    });

    it("shows nobody a part of a batch: every message, or none", async () => {
      const place = newPlace();
      await using backend = await openEmpty(suite, { place });
      await using elsewhere = await openEmpty(suite, { place });
      const batches = Array.from({ length: 6 }, (_, batch) =>
        Array.from({ length: 50 }, (__, index) => message(`b${batch} m${index}`)),
      );

      const writing = Promise.all(batches.map((batch) => backend.broker.enqueue("q", batch)));
      const seen: number[] = [];
      for (let look = 0; look < 20; look++) seen.push(await elsewhere.broker.queueSize("q"));
      await writing;

      assert.deepEqual(
        seen.filter((size) => size % 50 !== 0),
        [],
      );
      assert.equal(await elsewhere.broker.queueSize("q"), 300);
    });

    it("takes an empty list", async () => {
      await using backend = await openEmpty(suite);

      await backend.broker.enqueue("q", []);

      assert.equal(await backend.broker.queueSize("q"), 0);
    });

    it("keeps the first message when an id is sent again, in another call or in the same", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", [message("m")]);

      await backend.broker.enqueue("q", [message("m", { envelope: "again" }), message("n")]);
      await backend.broker.enqueue("q", [message("o"), message("o", { envelope: "twice" })]);

      assert.deepEqual(names(await takeAll(await consumer(backend.broker))), ["m", "n", "o"]);
    });

    it("leaves a held message alone when its id is sent again", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", [message("m")]);
      const owner = await consumer(backend.broker);
      const held = await takeOne(owner);

      await backend.broker.enqueue("q", [message("m", { envelope: "again" })]);

      assert.deepEqual(await owner.take(atOnce), []);
      assert.deepEqual(await owner.acknowledge([held.receipt]), [true]);
      assert.equal(await backend.broker.queueSize("q"), 0);
    });

    it("says when a message was queued and when it became due, by its own clock", async () => {
      await using backend = await openEmpty(suite);
      const before = await backend.store.now();
      await backend.broker.enqueue("q", [message("m", { delayMs: 500 })]);
      const after = await backend.store.now();
      await clock.advance(501);

      const taken = await takeOne(await consumer(backend.broker));

      assert.ok(taken.queuedAt >= before && taken.queuedAt <= after, `${before} <= ${taken.queuedAt} <= ${after}`);
      assert.equal(taken.dueAt - taken.queuedAt, 500);
    });
  });
}
