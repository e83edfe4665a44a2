import assert from "node:assert/strict";
import type { ClusterStatus } from "../../contracts/store.js";
import { idOf } from "../messages.js";
import { newPlace, openEmpty, type Suite } from "../suite.js";

/** A cluster's status, as it says it. */
function status(clusterId: string, options: Partial<ClusterStatus> = {}): ClusterStatus {
  return {
    clusterId,
    name: "shop",
    host: "web-1",
    pid: 4711,
    tob: 1_000,
    timestamp: 2_000,
    status: "Working",
    queues: ["q", "media"],
    workers: [{ pid: 4712, state: "busy", done: 3, rssBytes: 50_000_000 }],
    reincarnations: 1,
    taskQueueSize: 2,
    doneQueueSize: 1,
    running: [{ id: idOf("t"), startedAt: 1_500, worker: "web-1:4712" }],
    tasks: ["core.tasks.resize", "größe"],
    isolation: "process",
    version: "0.1.0",
    rssBytes: 80_000_000,
    ...options,
  };
}

/** Heartbeats, and orders for clusters. */
export function clusterPromises(suite: Suite): void {
  beatPromises(suite);
  orderPromises(suite);
}

function beatPromises(suite: Suite): void {
  const { describe, it, clock } = suite;

  describe("beat", () => {
    it("publishes all that a cluster says of itself, and the newest word replaces the one before (P240)", async () => {
      await using backend = await openEmpty(suite);
      await backend.store.beat(status("c1", { status: "Starting" }), 60_000);
      await backend.store.beat(status("c1"), 60_000);

      assert.deepEqual(await backend.store.clusters(), [status("c1")]);
    });

    it("keeps a status for its time, and drops those that fell silent (P240, P261, P326)", async () => {
      await using backend = await openEmpty(suite);
      await backend.store.beat(status("silent"), 1_000);
      await backend.store.beat(status("alive"), 60_000);
      const before = await backend.store.clusters();

      await clock.advance(1_001);

      assert.deepEqual(before.map(({ clusterId }) => clusterId).toSorted(), ["alive", "silent"]);
      assert.deepEqual(
        (await backend.store.clusters()).map(({ clusterId }) => clusterId),
        ["alive"],
      );
    });

    it("loses no cluster when many beat at the same time (P241)", async () => {
      const place = newPlace();
      await using backend = await openEmpty(suite, { place });
      await using elsewhere = await openEmpty(suite, { place });
      const ids = Array.from({ length: 20 }, (_, index) => `c${index}`);

      await Promise.all(ids.map((id, index) => (index % 2 === 0 ? backend : elsewhere).store.beat(status(id), 60_000)));

      const alive = await backend.store.clusters();
      assert.deepEqual(alive.map(({ clusterId }) => clusterId).toSorted(), ids.toSorted());
    });

    it("says nothing when no cluster has ever beaten (P237)", async () => {
      await using backend = await openEmpty(suite);

      assert.deepEqual(await backend.store.clusters(), []);
    });
  });
}

function orderPromises(suite: Suite): void {
  const { describe, it } = suite;

  describe("inbox", () => {
    it("hands out a cluster's orders once, oldest first, and nobody else's", async () => {
      await using backend = await openEmpty(suite);
      await backend.store.tell("c1", { order: "recycle" });
      await backend.store.tell("c1", { order: "cancel", id: idOf("t") });
      await backend.store.tell("c1", { order: "stop" });
      await backend.store.tell("c2", { order: "stop" });

      const orders = await backend.store.inbox("c1");

      assert.deepEqual(orders, [{ order: "recycle" }, { order: "cancel", id: idOf("t") }, { order: "stop" }]);
      assert.deepEqual(await backend.store.inbox("c1"), []);
      assert.deepEqual(await backend.store.inbox("c2"), [{ order: "stop" }]);
      assert.deepEqual(await backend.store.inbox("nobody"), []);
    });

    it("hands out each order once, however many ask at the same time", async () => {
      await using backend = await openEmpty(suite);
      for (let index = 0; index < 10; index++)
        await backend.store.tell("c1", { order: "cancel", id: idOf(`t${index}`) });

      const answers = await Promise.all(Array.from({ length: 5 }, () => backend.store.inbox("c1")));

      assert.equal(answers.flat().length, 10);
    });
  });
}
