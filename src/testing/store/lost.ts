import assert from "node:assert/strict";
import type { RunningTask } from "../../contracts/broker.js";
import { consumer, idOf, inTime, names, takeAll, takeOne } from "../messages.js";
import { openEmpty, type Suite } from "../suite.js";
import { failed, finishOne, newTask, retrying, stateOf, stored, succeeded } from "../tasks.js";
import { outlive, shortLease } from "../waiting.js";

function running(name: string, startedAt: number = 1_000): RunningTask {
  return { id: idOf(name), startedAt, worker: "db-7:99" };
}

/** What a takeover puts on record of a cluster that died. */
export function lostPromises(suite: Suite): void {
  const { describe, it, clock } = suite;
  const leaseMs = shortLease;

  describe("lost attempts", () => {
    it("names exactly what the last renewal said was running (P373)", async () => {
      await using backend = await openEmpty(suite);
      await backend.store.submit(["ended", "a", "b", "waits"].map((name) => newTask(name)));
      const dead = await consumer(backend.broker, { leaseMs, cluster: { id: "c9", host: "db-7", pid: 98 } });
      const heir = await consumer(backend.broker, { leaseMs });
      await takeAll(dead);
      await dead.renew([running("ended"), running("a")]);
      await dead.renew([running("a"), running("b", 2_000)]);

      await outlive(clock, heir);
      const taken = await heir.take(inTime);

      assert.deepEqual(
        taken.map(({ envelope, attempts, starts, deliveries }) => [envelope, attempts, starts, deliveries]),
        [
          // Without an ending on record, a delivery counts towards a suspect.
          ["ended", 0, 0, 2],
          ["a", 1, 1, 1],
          ["b", 1, 1, 1],
          ["waits", 0, 0, 2],
        ],
      );
      const [lost, ...others] = await backend.store.attempts(idOf("b"));
      assert.deepEqual(others, []);
      const { number, ending, counted, startedAt, worker } = lost!;
      assert.deepEqual([number, ending, counted, startedAt, worker], [1, "lost", true, 2_000, "db-7:99"]);
      assert.match(lost?.error?.message ?? "", /db-7.*98/);
      assert.deepEqual(await backend.store.attempts(idOf("waits")), []);
    });

    it("are stored once, however many heirs there are", async () => {
      await using backend = await openEmpty(suite);
      await backend.store.submit([newTask("t")]);
      const dead = await consumer(backend.broker, { leaseMs });
      const heirs = await Promise.all(Array.from({ length: 5 }, () => consumer(backend.broker, { leaseMs })));
      await takeOne(dead);
      await dead.renew([running("t")]);

      await outlive(clock, ...heirs);
      const taken = await Promise.all(heirs.map((heir) => takeAll(heir)));

      assert.deepEqual(names(taken.flat()), ["t"]);
      assert.equal((await backend.store.attempts(idOf("t"))).length, 1);
      assert.equal((await stored(backend, "t")).attempts, 1);
    });

    it("follow the attempts before them, and the next attempt follows them", async () => {
      await using backend = await openEmpty(suite);
      await backend.store.submit([newTask("t")]);
      const dead = await consumer(backend.broker, { leaseMs });
      const heir = await consumer(backend.broker, { leaseMs });
      await finishOne(backend, dead, retrying(0)(await takeOne(dead)));
      await takeOne(dead);
      await dead.renew([running("t")]);

      await outlive(clock, heir);
      const delivery = await takeOne(heir, inTime);
      await finishOne(backend, heir, failed(delivery));

      const attempts = await backend.store.attempts(idOf("t"));
      assert.deepEqual(
        attempts.map(({ number, ending }) => [number, ending]),
        [
          [1, "error"],
          [2, "lost"],
          [3, "error"],
        ],
      );
      assert.equal((await stored(backend, "t")).attempts, 3);
    });

    it("leave out what had ended or was given back before the cluster died", async () => {
      await using backend = await openEmpty(suite);
      await backend.store.submit(["done", "back", "other"].map((name) => newTask(name)));
      const dead = await consumer(backend.broker, { leaseMs });
      const heir = await consumer(backend.broker, { leaseMs });
      const [done, back] = await dead.take({ max: 2, waitMs: 0 });
      await dead.renew([running("done"), running("back"), running("other")]);
      await finishOne(backend, dead, succeeded(done!));
      await dead.release([back!.receipt]);
      await takeAll(heir);

      await outlive(clock, heir);
      await heir.take({ max: 10, waitMs: 0 });

      assert.equal((await backend.store.attempts(idOf("done"))).length, 1);
      assert.deepEqual(await backend.store.attempts(idOf("back")), []);
      assert.deepEqual(await backend.store.attempts(idOf("other")), []);
      assert.equal(await stateOf(backend, "done"), "succeeded");
    });

    it("are none when the cluster closed its consumer", async () => {
      await using backend = await openEmpty(suite);
      await backend.store.submit([newTask("t")]);
      const owner = await consumer(backend.broker);
      await takeOne(owner);
      await owner.renew([running("t")]);

      await owner.close();

      assert.deepEqual(await backend.store.attempts(idOf("t")), []);
      assert.equal((await stored(backend, "t")).attempts, 0);
    });
  });
}
