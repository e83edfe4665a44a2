import assert from "node:assert/strict";
import type { Backend } from "../../contracts/backend.js";
import { consumer, idOf, names } from "../messages.js";
import { newPlace, openEmpty, type Suite } from "../suite.js";
import { newTask, runTask, stateOf, stored } from "../tasks.js";
import { soon } from "../waiting.js";

/** Who sees a store, and who hears of changes. */
export function placePromises(suite: Suite): void {
  watchPromises(suite);
  sharingPromises(suite);
}

function watchPromises(suite: Suite): void {
  const { describe, it, clock } = suite;

  describe("watch", () => {
    for (const [what, change] of [
      ["a task is submitted", ({ store }: Backend) => store.submit([newTask("t")])],
      ["a task finishes", (backend: Backend) => runTask(backend, newTask("t"))],
      ["an order is left for a cluster", ({ store }: Backend) => store.tell("c1", { order: "stop" })],
    ] as const) {
      it(`tells every opening of the store soon after ${what} (P254)`, async () => {
        const place = newPlace();
        await using backend = await openEmpty(suite, { place });
        await using elsewhere = await openEmpty(suite, { place });
        const heard = [nextChange(backend), nextChange(elsewhere)];

        await change(elsewhere);

        await soon("the watchers are told", Promise.all(heard));
      });
    }

    it("stops when it is told to", async () => {
      await using backend = await openEmpty(suite);
      let calls = 0;
      const stop = backend.store.watch(() => (calls += 1));
      await backend.store.submit([newTask("t")]);
      await soon(
        "the first change is heard",
        until(() => calls > 0),
      );

      stop();
      stop();
      const before = calls;
      const heard = nextChange(backend);
      await backend.store.submit([newTask("u")]);
      await soon("another watcher is told", heard);

      assert.equal(calls, before);
    });
  });

  describe("now", () => {
    it("is the store's clock, and moves on", async () => {
      await using backend = await openEmpty(suite);
      const before = await backend.store.now();

      await clock.advance(200);

      const passed = (await backend.store.now()) - before;
      assert.ok(passed >= 190 && passed < 60_000, `${passed} ms passed`);
    });
  });
}

function nextChange(backend: Backend): Promise<void> {
  return new Promise((resolve) => {
    const stop = backend.store.watch(() => {
      stop();
      resolve();
    });
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function sharingPromises(suite: Suite): void {
  const { describe, it } = suite;

  describe("places", () => {
    it("show every opening the same tasks, and survive that one of them closes (P258, P372)", async () => {
      const place = newPlace();
      await using backend = await openEmpty(suite, { place });
      const elsewhere = await openEmpty(suite, { place });
      await runTask(elsewhere, newTask("t", { group: "g" }));
      await elsewhere[Symbol.asyncDispose]();

      assert.equal((await stored(backend, "t")).result, "result of t");
      assert.equal(await backend.store.countGroup("g", "all"), 1);
    });

    it("keep the tasks, groups, clusters and orders of another project apart (P012)", async () => {
      const place = newPlace();
      await using shop = await openEmpty(suite, { place, project: "shop" });
      await using blog = await openEmpty(suite, { place, project: "blog" });
      await runTask(shop, newTask("t", { group: "g", name: "mine" }));
      await shop.store.tell("c1", { order: "stop" });

      const [submitted] = await blog.store.submit([newTask("t", { envelope: "of the blog" })]);

      assert.equal(submitted?.created, true);
      assert.equal(await stateOf(shop, "t"), "succeeded");
      assert.equal(await stateOf(blog, "t"), "queued");
      assert.equal(await blog.store.countGroup("g", "all"), 0);
      assert.equal(await blog.store.findByName("mine"), undefined);
      assert.deepEqual(await blog.store.inbox("c1"), []);
      assert.deepEqual(await blog.store.counts(9), { queued: 1, running: 0, succeeded: 0, failed: 0 });
      assert.deepEqual(await blog.store.throughput(0), []);
      assert.deepEqual(await blog.store.attempts(idOf("t")), []);
      assert.equal(await blog.store.cancel(idOf("t")), "cancelled");
      assert.equal(await stateOf(shop, "t"), "succeeded");
      const none = await (await consumer(blog.broker)).take({ max: 1, waitMs: 0 });
      assert.deepEqual(names(none), []);
    });
  });
}
