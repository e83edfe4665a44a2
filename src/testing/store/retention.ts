import assert from "node:assert/strict";
import type { Backend } from "../../contracts/backend.js";
import type { RetentionLimits } from "../../contracts/store.js";
import { consumer, idOf, takeOne } from "../messages.js";
import { openEmpty, type Suite } from "../suite.js";
import { failed, hookOf, newTask, runTask, stateOf } from "../tasks.js";

const noLimits: RetentionLimits = {
  successesMs: null,
  failuresMs: null,
  successesCount: null,
  per: null,
  groupMs: 0,
};

/** Cleans until nothing is left to clean, and says how many went. */
async function cleanAll(backend: Backend, limits: Partial<RetentionLimits>): Promise<number> {
  let removed = 0;
  for (let call = 0; call < 1_000; call++) {
    const some = await backend.store.clean({ ...noLimits, ...limits });
    if (some === 0) return removed;
    removed += some;
  }
  throw new Error(`Expected nothing to be left at some time, and ${removed} tasks were removed.`);
}

/** Those of the names that the store still knows. */
async function left(backend: Backend, names: readonly string[]): Promise<string[]> {
  const known = await backend.store.get(names.map(idOf));
  return known.map(({ envelope }) => envelope).toSorted();
}

/** What is kept, and how long. */
export function retentionPromises(suite: Suite): void {
  suite.describe("clean", () => {
    agePromises(suite);
    amountPromises(suite);
    hookPromises(suite);
    groupPromises(suite);
  });
}

function agePromises(suite: Suite): void {
  const { it, clock } = suite;

  it("removes successes and failures by their own ages, attempts and notes too (P367)", async () => {
    await using backend = await openEmpty(suite);
    await runTask(backend, newTask("s old"));
    await runTask(backend, newTask("f old"), failed);
    await backend.store.report([{ id: idOf("s old"), at: 1, log: "a line" }]);
    await clock.advance(1_500);
    await runTask(backend, newTask("s new"));

    const removed = await cleanAll(backend, { successesMs: 1_000, failuresMs: 600_000 });

    assert.equal(removed, 1);
    assert.deepEqual(await left(backend, ["s old", "f old", "s new"]), ["f old", "s new"]);
    assert.deepEqual(await backend.store.attempts(idOf("s old")), []);
    assert.deepEqual((await backend.store.notes(idOf("s old"))).log, []);
    assert.equal(await cleanAll(backend, { failuresMs: 1_000 }), 1);
    assert.deepEqual(await left(backend, ["f old", "s new"]), ["s new"]);
  });

  it("removes cancelled tasks by the age for failures", async () => {
    await using backend = await openEmpty(suite);
    await backend.store.submit([newTask("c")]);
    await backend.store.cancel(idOf("c"));
    await clock.advance(1_500);

    assert.equal(await cleanAll(backend, { successesMs: 1_000 }), 0);
    assert.equal(await cleanAll(backend, { failuresMs: 1_000 }), 1);
  });

  it("keeps everything without limits, and never removes what has not finished", async () => {
    await using backend = await openEmpty(suite);
    await runTask(backend, newTask("done"));
    await backend.store.submit([newTask("held"), newTask("waits"), newTask("expired", { expiresMs: 1 })]);
    await takeOne(await consumer(backend.broker));
    await clock.advance(1_500);

    assert.equal(await cleanAll(backend, {}), 0);
    await cleanAll(backend, { successesMs: 1, failuresMs: 1, successesCount: 0 });

    assert.deepEqual(await left(backend, ["done", "held", "waits", "expired"]), ["expired", "held", "waits"]);
  });

  it("removes thousands, in as many steps as it takes", async () => {
    await using backend = await openEmpty(suite);
    const owner = await consumer(backend.broker);
    for (let batch = 0; batch < 3; batch++) {
      await backend.store.submit(Array.from({ length: 1_000 }, (_, index) => newTask(`t${batch} ${index}`)));
      for (let taken = await owner.take({ max: 1_000, waitMs: 0 }); taken.length > 0;) {
        await backend.store.finish(
          owner.id,
          taken.map((delivery) => failed(delivery)),
        );
        taken = await owner.take({ max: 1_000, waitMs: 0 });
      }
    }
    await clock.advance(1_500);

    assert.equal(await cleanAll(backend, { failuresMs: 1_000 }), 3_000);
    assert.equal((await backend.store.counts(10)).failed, 0);
  });
}

function amountPromises(suite: Suite): void {
  const { it, clock } = suite;
  const run = async (
    backend: Backend,
    names: readonly string[],
    task: Parameters<typeof newTask>[1] = {},
  ): Promise<void> => {
    for (const name of names) {
      await runTask(backend, newTask(name, task));
      await clock.advance(2);
    }
  };

  it("keeps the newest successes, also after the limit was lowered, and all failures (P365, P367)", async () => {
    await using backend = await openEmpty(suite);
    await runTask(backend, newTask("f"), failed);
    await run(backend, ["s1", "s2", "s3", "s4", "s5", "s6"]);
    const all = ["f", "s1", "s2", "s3", "s4", "s5", "s6"];

    assert.equal(await cleanAll(backend, { successesCount: 5 }), 1);
    assert.equal(await cleanAll(backend, { successesCount: 2 }), 3);

    assert.deepEqual(await left(backend, all), ["f", "s5", "s6"]);
    assert.equal(await cleanAll(backend, { successesCount: 2 }), 0);
  });

  for (const per of ["func", "name", "group"] as const) {
    it(`keeps the newest successes of each ${per}, and of those without one together (P366)`, async () => {
      await using backend = await openEmpty(suite);
      await run(backend, ["a1", "a2", "a3"], { [per]: "a" });
      await run(backend, ["b1"], { [per]: "b" });
      if (per !== "func") await run(backend, ["n1", "n2", "n3"]);

      await cleanAll(backend, { successesCount: 2, per });

      const expected = per === "func" ? ["a2", "a3", "b1"] : ["a2", "a3", "b1", "n2", "n3"];
      assert.deepEqual(await left(backend, ["a1", "a2", "a3", "b1", "n1", "n2", "n3"]), expected);
    });
  }
}

function hookPromises(suite: Suite): void {
  const { it, clock } = suite;

  it("removes hooks by the same ages, and counts them apart from tasks", async () => {
    await using backend = await openEmpty(suite);
    const names = ["s1", "s2", "s3"];
    for (const name of names) {
      await runTask(backend, newTask(name));
      await runTask(backend, hookOf(name));
      await clock.advance(2);
    }
    const all = [...names, ...names.map((name) => `hook of ${name}`)];

    await cleanAll(backend, { successesCount: 2 });
    assert.deepEqual(await left(backend, all), ["hook of s2", "hook of s3", "s2", "s3"]);

    await clock.advance(1_500);
    assert.equal(await cleanAll(backend, { successesMs: 1_000 }), 4);
  });
}

function groupPromises(suite: Suite): void {
  const { it, clock } = suite;

  it("keeps the members of a group for their time, whatever the other limits say (P129)", async () => {
    await using backend = await openEmpty(suite);
    for (const name of ["g1", "g2", "g3"]) await runTask(backend, newTask(name, { group: "g" }));
    await runTask(backend, newTask("g4", { group: "g" }), failed);
    await runTask(backend, newTask("single"));
    await clock.advance(1_500);
    const limits = { successesMs: 1_000, failuresMs: 1_000, successesCount: 1 };

    assert.equal(await cleanAll(backend, { ...limits, groupMs: 600_000 }), 1);
    assert.equal(await stateOf(backend, "single"), "unknown");
    assert.equal(await backend.store.countGroup("g", "all"), 4);

    assert.equal(await cleanAll(backend, { ...limits, groupMs: 1_200 }), 4);
    assert.equal(await backend.store.countGroup("g", "all"), 0);
  });

  it("keeps a member no longer once its group was dissolved", async () => {
    await using backend = await openEmpty(suite);
    await runTask(backend, newTask("g1", { group: "g" }));
    await clock.advance(1_500);
    const limits = { successesMs: 1_000, groupMs: 600_000 };
    assert.equal(await cleanAll(backend, limits), 0);

    await backend.store.deleteGroup("g", { tasks: false });

    assert.equal(await cleanAll(backend, limits), 1);
  });
}
