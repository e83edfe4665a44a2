import assert from "node:assert/strict";
import { humanName } from "../../core/ids.js";
import { idOf } from "../messages.js";
import { openEmpty, type Suite } from "../suite.js";
import { failed, newTask, runTask, succeeded } from "../tasks.js";

/** Finding tasks, and what they reported. */
export function readingPromises(suite: Suite): void {
  lookupPromises(suite);
  notePromises(suite);
}

function lookupPromises(suite: Suite): void {
  const { describe, it, clock } = suite;

  describe("lookups", () => {
    it("get finds tasks in any state, each once, and leaves out what is unknown (P358)", async () => {
      await using backend = await openEmpty(suite);
      await runTask(backend, newTask("done"));
      await runTask(backend, newTask("failed"), failed);
      await backend.store.submit([newTask("waits")]);

      const ids = ["done", "nobody", "waits", "failed", "done"].map(idOf);
      const found = await backend.store.get(ids);

      assert.deepEqual(found.map(({ envelope }) => envelope).toSorted(), ["done", "failed", "waits"]);
      assert.deepEqual(await backend.store.get([]), []);
    });

    it("finished finds only what has finished, among 1,000 ids", async () => {
      await using backend = await openEmpty(suite);
      await runTask(backend, newTask("done"));
      await runTask(backend, newTask("failed"), failed);
      await backend.store.submit([newTask("waits")]);
      const others = Array.from({ length: 997 }, (_, index) => idOf(`nobody ${index}`));

      const found = await backend.store.finished([...others, ...["done", "waits", "failed"].map(idOf)]);

      assert.deepEqual(found.map(({ envelope }) => envelope).toSorted(), ["done", "failed"]);
      assert.deepEqual(await backend.store.finished([]), []);
    });

    it("findByName finds the newest task under a name, waiting or finished (P358)", async () => {
      await using backend = await openEmpty(suite);
      const name = "Größe 漢字 %_";
      await runTask(backend, newTask("old", { name }));
      await clock.advance(2);
      await runTask(backend, newTask("new", { name }));
      const finished = await backend.store.findByName(name);
      await clock.advance(2);
      await backend.store.submit([newTask("newest", { name })]);

      assert.deepEqual([finished, await backend.store.findByName(name)], [idOf("new"), idOf("newest")]);
      assert.equal(await backend.store.findByName("nobody"), undefined);
    });

    it("findByName knows the four words that are made from an id (P063)", async () => {
      await using backend = await openEmpty(suite);
      await runTask(backend, newTask("done"));
      await backend.store.submit([newTask("waits"), newTask("named", { name: "mine" })]);

      assert.equal(await backend.store.findByName(humanName(idOf("done"))), idOf("done"));
      assert.equal(await backend.store.findByName(humanName(idOf("waits"))), idOf("waits"));
      assert.equal(await backend.store.findByName(humanName(idOf("named"))), undefined);
    });

    it("attempts are none for a task that is unknown or has not run", async () => {
      await using backend = await openEmpty(suite);
      await backend.store.submit([newTask("waits")]);

      assert.deepEqual(await backend.store.attempts(idOf("waits")), []);
      assert.deepEqual(await backend.store.attempts(idOf("nobody")), []);
    });
  });
}

function notePromises(suite: Suite): void {
  const { describe, it } = suite;

  describe("notes", () => {
    it("keep the newest progress and the log, oldest line first", async () => {
      await using backend = await openEmpty(suite);
      const id = idOf("t");
      await backend.store.submit([newTask("t"), newTask("u")]);

      await backend.store.report([
        { id, at: 10, progress: { done: 1, total: 3, note: null }, log: "one" },
        { id, at: 20, log: "two 漢字" },
        { id: idOf("u"), at: 15, log: "of another task" },
      ]);
      await backend.store.report([{ id, at: 30, progress: { done: 2, total: null, note: "half" }, log: "three" }]);

      assert.deepEqual(await backend.store.notes(id), {
        progress: { done: 2, total: null, note: "half" },
        log: [
          { at: 10, text: "one" },
          { at: 20, text: "two 漢字" },
          { at: 30, text: "three" },
        ],
      });
    });

    it("stay after the end, and may come after it", async () => {
      await using backend = await openEmpty(suite);
      const id = idOf("t");
      await runTask(backend, newTask("t"), (delivery) => succeeded(delivery));

      await backend.store.report([{ id, at: 10, log: "A promise was rejected after the end." }]);

      assert.equal((await backend.store.notes(id)).log.length, 1);
    });

    it("of an unknown task are dropped, and read as empty", async () => {
      await using backend = await openEmpty(suite);

      await backend.store.report([{ id: idOf("nobody"), at: 10, log: "Hello?" }]);
      await backend.store.report([]);

      assert.deepEqual(await backend.store.notes(idOf("nobody")), { progress: undefined, log: [] });
    });
  });
}
