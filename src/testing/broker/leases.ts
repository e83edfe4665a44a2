import assert from "node:assert/strict";
import { atOnce, consumer, inTime, message, messages, names, takeAll, takeOne } from "../messages.js";
import { openEmpty, type Suite } from "../suite.js";
import { outlive, pass, shortLease, soon } from "../waiting.js";

/** What happens when a consumer falls silent, and when it comes back. */
export function leasePromises(suite: Suite): void {
  suite.describe("leases", () => {
    takeoverPromises(suite);
    fencingPromises(suite);
    outagePromises(suite);
  });
}

function takeoverPromises(suite: Suite): void {
  const { it, clock } = suite;
  const leaseMs = shortLease;

  it("hands out again what a dead consumer held, in its old order (P023, P242, P263)", async () => {
    await using backend = await openEmpty(suite);
    await backend.broker.enqueue("q", messages(3));
    const dead = await consumer(backend.broker, { leaseMs });
    const heir = await consumer(backend.broker, { leaseMs });
    await dead.take({ max: 2, waitMs: 0 });

    await outlive(clock, heir);

    const taken = await soon("the heir takes over", heir.take(inTime));
    assert.deepEqual(names(taken), ["m0", "m1", "m2"]);
    assert.deepEqual(
      taken.map((delivery) => delivery.deliveries),
      [2, 2, 1],
    );
  });

  it("frees what a dead consumer held even from a queue nobody asks for now", async () => {
    await using backend = await openEmpty(suite);
    await backend.broker.enqueue("other", [message("m")]);
    const dead = await consumer(backend.broker, { leaseMs, queues: ["other"] });
    const heir = await consumer(backend.broker, { leaseMs });
    await dead.take(atOnce);

    await outlive(clock, heir);
    await heir.take(atOnce);

    assert.equal(await backend.broker.queueSize("other"), 1);
    assert.equal(await backend.broker.lockSize("other"), 0);
  });

  it("wakes a waiting consumer when the lease of a dead one ends", async () => {
    await using backend = await openEmpty(suite);
    await backend.broker.enqueue("q", [message("m")]);
    const dead = await consumer(backend.broker, { leaseMs });
    await dead.take(atOnce);
    const heir = await consumer(backend.broker, { leaseMs });
    const waiting = heir.take(inTime);

    await outlive(clock, heir);

    assert.deepEqual(names(await soon("the waiting heir takes over", waiting)), ["m"]);
  });

  it("gives what a dead consumer held to one heir only", async () => {
    await using backend = await openEmpty(suite);
    const sent = messages(50);
    await backend.broker.enqueue("q", sent);
    const dead = await consumer(backend.broker, { leaseMs });
    const heirs = await Promise.all(Array.from({ length: 5 }, () => consumer(backend.broker, { leaseMs })));
    await takeAll(dead);

    await outlive(clock, ...heirs);

    const taken = await Promise.all(heirs.map((heir) => takeAll(heir, 9)));
    assert.deepEqual(names(taken.flat()).toSorted(), names(sent).toSorted());
  });

  it("keeps what a living consumer holds, however long it takes (P299)", async () => {
    await using backend = await openEmpty(suite);
    await backend.broker.enqueue("q", [message("m")]);
    const owner = await consumer(backend.broker, { leaseMs });
    const other = await consumer(backend.broker, { leaseMs });
    const held = await takeOne(owner);

    await pass(clock, leaseMs * 2.5, [owner, other]);

    assert.deepEqual(await other.take(atOnce), []);
    assert.deepEqual(await owner.acknowledge([held.receipt]), [true]);
  });

  it("counts unfinished deliveries until the message is a suspect", async () => {
    await using backend = await openEmpty(suite);
    await backend.broker.enqueue("q", [message("m")]);
    const heir = await consumer(backend.broker, { leaseMs });
    for (let round = 0; round < 2; round++) {
      const dead = await consumer(backend.broker, { leaseMs });
      await takeOne(dead);
      await outlive(clock, heir);
      await heir.release((await heir.take(atOnce)).map((delivery) => delivery.receipt));
    }

    const taken = await takeOne(heir);

    assert.equal(taken.deliveries, 3);
  });
}

function fencingPromises(suite: Suite): void {
  const { it, clock } = suite;
  const leaseMs = shortLease;

  it("refuses everything from a consumer that was taken over, and leaves the message to its new owner", async () => {
    await using backend = await openEmpty(suite);
    await backend.broker.enqueue("q", [message("m")]);
    const late = await consumer(backend.broker, { leaseMs });
    const owner = await consumer(backend.broker, { leaseMs });
    const stale = await takeOne(late);
    await outlive(clock, owner);
    const fresh = await takeOne(owner, inTime);

    await assert.rejects(late.renew([]), { code: "QLUSTER_LEASE_LOST" });
    await assert.rejects(late.take(atOnce), { code: "QLUSTER_LEASE_LOST" });
    assert.deepEqual(await late.acknowledge([stale.receipt]), [false]);
    await late.release([stale.receipt]);
    await late.close();

    assert.deepEqual(await owner.acknowledge([fresh.receipt]), [true]);
  });

  it("does not let a takeover's victim end what nobody has taken again yet", async () => {
    await using backend = await openEmpty(suite);
    await backend.broker.enqueue("q", messages(2));
    const late = await consumer(backend.broker, { leaseMs });
    const owner = await consumer(backend.broker, { leaseMs });
    const held = await late.take(atOnce);
    await outlive(clock, owner);
    await takeOne(owner, inTime);

    const answers = await late.acknowledge(held.map((delivery) => delivery.receipt));

    assert.deepEqual(answers, [false, false]);
    assert.equal(await backend.broker.queueSize("q"), 1);
  });
}

function outagePromises(suite: Suite): void {
  const { it, clock } = suite;
  const leaseMs = shortLease;

  it("lets a late consumer end what it holds while nobody has taken over", async () => {
    await using backend = await openEmpty(suite);
    await backend.broker.enqueue("q", messages(2));
    const late = await consumer(backend.broker, { leaseMs });
    const [first, second] = await late.take(atOnce);

    await clock.advance(leaseMs * 3);

    assert.deepEqual(await late.acknowledge([first!.receipt]), [true]);
    await late.renew([]);
    assert.deepEqual(await late.acknowledge([second!.receipt]), [true]);
  });

  it("lets nobody take over who was away as well: after an outage all have time to renew", async () => {
    await using backend = await openEmpty(suite);
    await backend.broker.enqueue("q", [message("m")]);
    const owner = await consumer(backend.broker, { leaseMs });
    const first = await consumer(backend.broker, { leaseMs });
    const held = await takeOne(owner);

    await clock.advance(leaseMs * 5);
    await first.renew([]);
    const stolen = await first.take(atOnce);
    await owner.renew([]);

    assert.deepEqual(stolen, []);
    assert.deepEqual(await owner.acknowledge([held.receipt]), [true]);
  });

  it("lets no newcomer take over before it has lived for a lease", async () => {
    await using backend = await openEmpty(suite);
    await backend.broker.enqueue("q", [message("m")]);
    const owner = await consumer(backend.broker, { leaseMs });
    const held = await takeOne(owner);

    await clock.advance(leaseMs * 5);
    const newcomer = await consumer(backend.broker, { leaseMs });
    const stolen = await newcomer.take(atOnce);

    assert.deepEqual(stolen, []);
    assert.deepEqual(await owner.acknowledge([held.receipt]), [true]);
  });
}
