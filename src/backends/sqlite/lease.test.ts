import { describe, expect, it } from "vitest";
import { connectTo, openOn, rowsOf, temporaryFile } from "../../../test/support/sqlite-file.js";
import { manualClock } from "../../testing/manual-clock.js";
import { atOnce, consumer, idOf, takeOne } from "../../testing/messages.js";
import { newTask, retrying } from "../../testing/tasks.js";
import { outlive, shortLease } from "../../testing/waiting.js";

describe("a takeover", () => {
  it("ends the lease, records what ran as lost and frees the rest, or does nothing of it", async () => {
    const location = temporaryFile();
    const clock = manualClock();
    const { broker, store } = await openOn(location, {}, clock);
    await store.submit([newTask("ran"), newTask("waited in memory")]);
    const dead = await consumer(broker, { leaseMs: shortLease });
    const heir = await consumer(broker, { leaseMs: shortLease });
    await dead.take(atOnce);
    await dead.renew([{ id: idOf("ran"), startedAt: clock.now(), worker: "web-1:99" }]);

    await outlive(clock, heir);
    const database = connectTo(location);
    // Whatever goes wrong in the middle: here, the record of the lost attempt cannot be written.
    database.exec("CREATE TRIGGER no_record BEFORE INSERT ON qluster_attempt BEGIN SELECT raise(ABORT, 'no'); END");
    await expect(heir.take(atOnce)).rejects.toThrow("no");
    const after = rowsOf<{ n: number }>(database, "SELECT count(*) AS n FROM qluster_consumer");
    database.exec("DROP TRIGGER no_record");
    const taken = await heir.take(atOnce);

    expect(after[0]?.n).toBe(2);
    expect(
      taken.map(({ envelope, attempts, starts, deliveries }) => ({ envelope, attempts, starts, deliveries })),
    ).toEqual([
      { envelope: "ran", attempts: 1, starts: 1, deliveries: 1 },
      { envelope: "waited in memory", attempts: 0, starts: 0, deliveries: 2 },
    ]);
    expect(await store.attempts(idOf("ran"))).toMatchObject([
      { number: 1, ending: "lost", counted: true, worker: "web-1:99" },
    ]);
  });

  it("numbers a lost attempt after those that went before", async () => {
    const clock = manualClock();
    const { broker, store } = await openOn(temporaryFile(), {}, clock);
    await store.submit([newTask("a")]);
    const heir = await consumer(broker, { leaseMs: shortLease });
    const dead = await consumer(broker, { leaseMs: shortLease });
    await store.finish(dead.id, [retrying(0)(await takeOne(dead))]);
    const again = await takeOne(dead);
    await dead.renew([{ id: again.id, startedAt: clock.now(), worker: "web-1:99" }]);

    await outlive(clock, heir);
    await takeOne(heir);

    expect(await store.attempts(again.id)).toMatchObject([
      { number: 1, ending: "error" },
      { number: 2, ending: "lost" },
    ]);
  });

  it("takes one lease, and not an hour more, when the clock is set back by an hour", async () => {
    const clock = manualClock();
    const { broker, store } = await openOn(temporaryFile(), {}, clock);
    await store.submit([newTask("a")]);
    const dead = await consumer(broker, { leaseMs: shortLease });
    const heir = await consumer(broker, { leaseMs: shortLease });
    await takeOne(dead);
    await outlive(clock, dead, heir);

    await clock.advance(-3_600_000);
    await heir.renew([]);
    const tooSoon = await heir.take(atOnce);
    await outlive(clock, heir);

    expect(tooSoon).toEqual([]);
    expect(await heir.take(atOnce)).toMatchObject([{ envelope: "a" }]);
  });

  it("frees messages whose consumer a hand has deleted, when the next consumer comes", async () => {
    const location = temporaryFile();
    const { broker, store } = await openOn(location);
    await store.submit([newTask("a")]);
    await takeOne(await consumer(broker));
    connectTo(location).exec("DELETE FROM qluster_consumer");

    const next = await consumer(broker);

    expect(await next.take(atOnce)).toMatchObject([{ envelope: "a" }]);
  });

  it("never gives a consumer's number to another, also after all of them have gone", async () => {
    const { broker } = await openOn(temporaryFile());
    const first = await consumer(broker);
    await first.close();

    const second = await consumer(broker);

    expect(Number(second.id)).toBeGreaterThan(Number(first.id));
  });
});

describe("a receipt", () => {
  it("does not fit a later message that got the same row", async () => {
    const { broker } = await openOn(temporaryFile());
    const owner = await consumer(broker);
    await broker.enqueue("q", [{ id: "a".repeat(32), envelope: "a", priority: 0, delayMs: 0 }]);
    const first = await takeOne(owner);
    await owner.acknowledge([first.receipt]);
    await broker.enqueue("q", [{ id: "b".repeat(32), envelope: "b", priority: 0, delayMs: 0 }]);
    const second = await takeOne(owner);

    const answer = await owner.acknowledge([first.receipt]);

    expect(answer).toEqual([false]);
    expect(await owner.acknowledge([second.receipt])).toEqual([true]);
  });

  it.each(["", "x", "1", "NaN.a", -1, "9e99.a"])("that never was one (%s) answers false", async (receipt) => {
    const { broker } = await openOn(temporaryFile());

    expect(await (await consumer(broker)).acknowledge([receipt])).toEqual([false]);
  });
});
