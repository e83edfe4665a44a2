import assert from "node:assert/strict";
import { atOnce, consumer, message, names, takeAll, takeOne } from "../messages.js";
import { itIf, openEmpty, type BrokerSuite } from "../suite.js";

/** Which message comes next. */
export function orderPromises(suite: BrokerSuite): void {
  const { describe, it, clock, capabilities } = suite;

  describe("order", () => {
    it("hands out first what was enqueued first, also within one millisecond (P251)", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", [message("a"), message("b")]);
      await backend.broker.enqueue("q", [message("c")]);
      const owner = await consumer(backend.broker);

      const taken = [await takeOne(owner), await takeOne(owner), await takeOne(owner)];

      assert.deepEqual(names(taken), ["a", "b", "c"]);
    });

    const withPriority = itIf(suite, capabilities.priority, "capabilities.priority is false");
    withPriority("hands out the higher priority first, from 100 down to -100 (P251)", async () => {
      await using backend = await openEmpty(suite);
      const priorities = [0, -100, 7, 100, -1, 99, 1, -99, 10, 9];
      await backend.broker.enqueue(
        "q",
        priorities.map((priority) => message(`p${priority}`, { priority })),
      );

      const taken = await takeAll(await consumer(backend.broker), 3);

      const expected = priorities.toSorted((a, b) => b - a).map((priority) => `p${priority}`);
      assert.deepEqual(names(taken), expected);
    });

    withPriority("lets a later message with priority overtake a long backlog", async () => {
      await using backend = await openEmpty(suite);
      const backlog = Array.from({ length: 300 }, (_, index) => message(`old${index}`));
      await backend.broker.enqueue("q", backlog);
      await clock.advance(10);
      await backend.broker.enqueue("q", [message("urgent", { priority: 1 })]);

      const taken = await takeOne(await consumer(backend.broker));

      assert.equal(taken.envelope, "urgent");
    });

    withPriority("does not let a priority shorten a delay", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", [message("later", { priority: 100, delayMs: 60_000 }), message("now")]);
      const owner = await consumer(backend.broker);

      assert.deepEqual(names(await owner.take(atOnce)), ["now"]);
    });

    it("counts from the time a message became due, not from the time it was enqueued", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", [message("late", { delayMs: 200 }), message("soon", { delayMs: 100 })]);
      await backend.broker.enqueue("q", [message("at once")]);
      await clock.advance(300);
      await backend.broker.enqueue("q", [message("last")]);

      const taken = await takeAll(await consumer(backend.broker));

      assert.deepEqual(names(taken), ["at once", "soon", "late", "last"]);
    });

    it("keeps the longest delay it promises, without waking for it", async () => {
      await using backend = await openEmpty(suite);
      const delayMs = Math.min(capabilities.maxDelayMs, 1_000 * 365 * 24 * 3_600_000);
      await backend.broker.enqueue("q", [message("m", { delayMs })]);
      const owner = await consumer(backend.broker);

      assert.deepEqual(await owner.take({ max: 1, waitMs: 50 }), []);
      assert.equal(await backend.broker.queueSize("q"), 1);
    });

    it("hands out nothing before it is due", async () => {
      await using backend = await openEmpty(suite);
      await backend.broker.enqueue("q", [message("m", { delayMs: 1_000 })]);
      const owner = await consumer(backend.broker);

      const early = await owner.take(atOnce);
      await clock.advance(1_001);

      assert.deepEqual(early, []);
      assert.deepEqual(names(await owner.take(atOnce)), ["m"]);
    });
  });
}
