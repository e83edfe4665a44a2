import assert from "node:assert/strict";
import { atOnce, consumer, inTime, message, messages, names, takeOne } from "../messages.js";
import { openEmpty, type Suite } from "../suite.js";
import { soon } from "../waiting.js";

/** How a consumer lets go of a message. */
export function endingPromises(suite: Suite): void {
  acknowledgePromises(suite);
  releasePromises(suite);
  closePromises(suite);
}

function acknowledgePromises(suite: Suite): void {
  const { describe, it } = suite;

  describe("acknowledge", () => {
    it("removes messages for good (P252)", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", messages(3));
      const owner = await consumer(backend.broker);
      const held = await owner.take(atOnce);

      const answers = await owner.acknowledge(held.map((delivery) => delivery.receipt));

      assert.deepEqual(answers, [true, true, true]);
      assert.equal(await backend.broker.queueSize(), 0);
      assert.equal(await backend.broker.lockSize(), 0);
    });

    it("is harmless the second time: it answers false, in the order of the receipts (P243)", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", messages(3));
      const owner = await consumer(backend.broker);
      const [first, second, third] = await owner.take(atOnce);
      await owner.acknowledge([second!.receipt]);

      const answers = await owner.acknowledge([first!.receipt, second!.receipt, third!.receipt]);

      assert.deepEqual(answers, [true, false, true]);
    });

    it("does not accept the receipt of another consumer", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", [message("m")]);
      const owner = await consumer(backend.broker);
      const stranger = await consumer(backend.broker);
      const held = await takeOne(owner);

      assert.deepEqual(await stranger.acknowledge([held.receipt]), [false]);
      assert.deepEqual(await owner.acknowledge([held.receipt]), [true]);
    });

    it("ends 1,000 messages in one call", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", messages(1_000));
      const owner = await consumer(backend.broker);
      const receipts = [];
      while (receipts.length < 1_000) {
        for (const delivery of await owner.take({ max: 1_000, waitMs: 0 })) receipts.push(delivery.receipt);
      }

      const answers = await owner.acknowledge(receipts);

      assert.equal(answers.filter(Boolean).length, 1_000);
      assert.equal(await backend.broker.lockSize("q"), 0);
    });

    it("takes an empty list", async () => {
      await using backend = await openEmpty(suite);
      const owner = await consumer(backend.broker);

      assert.deepEqual(await owner.acknowledge([]), []);
    });
  });
}

function releasePromises(suite: Suite): void {
  const { describe, it, clock } = suite;

  describe("release", () => {
    it("gives a message back at once, to its old place in the queue", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", messages(3));
      const owner = await consumer(backend.broker);
      const [, second] = await owner.take({ max: 2, waitMs: 0 });

      await owner.release([second!.receipt]);

      const other = await consumer(backend.broker);
      assert.deepEqual(names(await other.take(atOnce)), ["m1", "m2"]);
    });

    it("does not count the delivery", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", [message("m")]);
      const owner = await consumer(backend.broker);

      for (let round = 0; round < 5; round++) {
        const held = await takeOne(owner);
        assert.equal(held.deliveries, 1);
        await owner.release([held.receipt]);
      }
    });

    it("keeps a message back for the delay", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", [message("m")]);
      const owner = await consumer(backend.broker);
      const held = await takeOne(owner);

      await owner.release([held.receipt], { delayMs: 1_000 });

      assert.deepEqual(await owner.take(atOnce), []);
      assert.equal(await backend.broker.queueSize("q"), 1);
      await clock.advance(1_001);
      assert.deepEqual(names(await owner.take(atOnce)), ["m"]);
    });

    it("makes a suspect of what may have killed its worker, and a clean release does not clear it", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", [message("m")]);
      const owner = await consumer(backend.broker);
      const held = await takeOne(owner);

      await owner.release([held.receipt], { suspect: true });

      const suspect = await takeOne(owner);
      assert.ok(suspect.deliveries > 2, `deliveries is ${suspect.deliveries}, and a suspect has more than 2`);
      await owner.release([suspect.receipt]);
      assert.equal((await takeOne(owner)).deliveries, suspect.deliveries);
    });

    it("passes over what is not ours, or not any more", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", messages(3));
      const owner = await consumer(backend.broker);
      const stranger = await consumer(backend.broker);
      const [first, second, third] = await owner.take(atOnce);
      await owner.acknowledge([first!.receipt]);

      await owner.release([first!.receipt, second!.receipt]);
      await stranger.release([third!.receipt]);

      assert.deepEqual(names(await stranger.take(atOnce)), ["m1"]);
      assert.deepEqual(await owner.acknowledge([third!.receipt]), [true]);
    });
  });
}

function closePromises(suite: Suite): void {
  const { describe, it } = suite;

  describe("close", () => {
    it("gives everything back at once, without waiting for the lease to end", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", messages(3));
      const owner = await consumer(backend.broker);
      await owner.take(atOnce);

      await owner.close();

      const next = await (await consumer(backend.broker)).take(atOnce);
      assert.deepEqual(names(next), ["m0", "m1", "m2"]);
      assert.deepEqual(
        next.map((delivery) => delivery.deliveries),
        [1, 1, 1],
      );
    });

    it("is harmless when called twice, and ends the consumer", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", [message("m")]);
      const owner = await consumer(backend.broker);
      const held = await takeOne(owner);

      await owner.close();
      await owner.close();

      assert.deepEqual(await owner.acknowledge([held.receipt]), [false]);
      await assert.rejects(owner.renew([]), { code: "QLUSTER_LEASE_LOST" });
      await assert.rejects(owner.take(atOnce), { code: "QLUSTER_LEASE_LOST" });
    });

    it("ends a take that still waits", async () => {
      await using backend = await openEmpty(suite);
      const owner = await consumer(backend.broker);
      const waiting = owner.take(inTime).catch((error: unknown) => error);

      await owner.close();

      const end = await soon("the waiting take ends", waiting);
      if (end instanceof Error) assert.equal("code" in end && end.code, "QLUSTER_LEASE_LOST");
      else assert.deepEqual(end, []);
    });
  });
}
