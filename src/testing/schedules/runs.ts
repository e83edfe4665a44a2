import assert from "node:assert/strict";
import type { Backend } from "../../contracts/backend.js";
import type { StoredRun } from "../../contracts/schedules.js";
import { consumer, idOf, takeOne } from "../messages.js";
import { openEmpty, type Suite } from "../suite.js";
import { failed, finishOne, succeeded, succeededUnkept, type Ending } from "../tasks.js";
import { change, changeOf, firing, insert, newSchedule, readSchedule, runOf } from "./schedules.js";

/** The runs of a schedule outlive the records of its tasks. */
export function runPromises(suite: Suite): void {
  const { it, clock } = suite;

  for (const [ending, end, state] of [
    ["success", succeeded, "succeeded"],
    ["success without a record", succeededUnkept, "succeeded"],
    ["failure", failed, "failed"],
  ] as const) {
    it(`show how their tasks stand: queued, running, and after a ${ending} ${state} (P222)`, async () => {
      await using backend = await openEmpty(suite);
      const schedule = await insert(backend, newSchedule("s"));
      await change(backend, firing(schedule, "t", 1_000));
      const owner = await consumer(backend.broker);

      const states = [(await only(backend)).state];
      const delivery = await takeOne(owner);
      states.push((await only(backend)).state);
      await finishOne(backend, owner, end(delivery));
      states.push((await only(backend)).state);

      assert.deepEqual(states, ["queued", "running", state]);
    });

    it(`show a ${ending} also when retention has removed its record (P222)`, async () => {
      await using backend = await openEmpty(suite);
      await fired(backend, end);
      await clock.advance(1_000);

      const limits = { successesMs: 10, failuresMs: 10, successesCount: null, per: null, groupMs: 0 };
      while ((await backend.store.clean(limits)) > 0);

      assert.deepEqual(await backend.store.get([idOf("t")]), []);
      assert.equal((await only(backend)).state, state);
    });
  }

  it("say that nobody can tell of a task that was purged", async () => {
    await using backend = await openEmpty(suite);
    const schedule = await insert(backend, newSchedule("s"));
    await change(backend, firing(schedule, "t", 1_000));

    await backend.broker.purge("q");

    assert.equal((await only(backend)).state, "unknown");
  });

  it("come newest first, page after page, also those without a task (P222)", async () => {
    await using backend = await openEmpty(suite);
    const schedule = await insert(backend, newSchedule("s"));
    const runs = [
      runOf(schedule, { number: 1, slot: 10, at: 11, passedOver: "missed" }),
      runOf(schedule, { number: 2, slot: 20, at: 21, passedOver: "overlap" }),
      runOf(schedule, { number: 3, slot: 30, at: 31, passedOver: "skipped", manual: true }),
    ];
    await change(backend, changeOf(schedule, { runs }));

    const first = await backend.store.schedules.runs(schedule.id, { limit: 2 });
    const second = await backend.store.schedules.runs(schedule.id, { limit: 2, before: first.at(-1)?.number });

    const expected = runs.toReversed().map((run) => ({ ...run, state: run.passedOver ?? "unknown" }));
    assert.deepEqual([...first, ...second], expected);
    assert.equal((await readSchedule(backend, schedule.id)).runCount, 3);
  });

  it("are kept for the newest thousand at least, and need not be kept beyond", async () => {
    await using backend = await openEmpty(suite);
    let schedule = await insert(backend, newSchedule("s"));
    for (let step = 0; step < 3; step++) {
      const runs = Array.from({ length: 500 }, (_, index) =>
        runOf(schedule, { number: schedule.runCount + 1 + index, passedOver: "missed" }),
      );
      await change(backend, changeOf(schedule, { runs }));
      schedule = await readSchedule(backend, schedule.id);
    }

    const runs = await backend.store.schedules.runs(schedule.id, { limit: 2_000 });

    assert.deepEqual([runs[0]?.number, runs[999]?.number], [1_500, 501]);
  });
}

async function fired(backend: Backend, end: Ending): Promise<void> {
  const schedule = await insert(backend, newSchedule("s"));
  await change(backend, firing(schedule, "t", 1_000));
  const owner = await consumer(backend.broker);
  await finishOne(backend, owner, end(await takeOne(owner)));
}

async function only(backend: Backend): Promise<StoredRun> {
  const runs = await backend.store.schedules.runs(idOf("s"), { limit: 9 });
  assert.equal(runs.length, 1);
  return runs[0]!;
}
