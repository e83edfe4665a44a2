import assert from "node:assert/strict";
import { idOf } from "../messages.js";
import { openEmpty, type Suite } from "../suite.js";
import { change, changeOf, insert, newSchedule } from "./schedules.js";

const mine = { clusters: [null], limit: 10 } as const;

/** What is due, and when to look again. */
export function duePromises(suite: Suite): void {
  const { it, clock } = suite;

  it("are due once their time has come by the store's clock, the longest due first (P204)", async () => {
    await using backend = await openEmpty(suite);
    const now = await backend.store.now();
    await insert(backend, newSchedule("soon", { dueAt: now + 60_000 }));
    await insert(backend, newSchedule("late", { dueAt: now - 1_000 }));
    await insert(backend, newSchedule("later", { dueAt: now - 5_000 }));
    await insert(backend, newSchedule("never"));

    const due = await backend.store.schedules.due(mine);

    assert.deepEqual(
      due.schedules.map(({ id }) => id),
      [idOf("later"), idOf("late")],
    );
    assert.ok(Math.abs(due.now - now) < 5_000);
    assert.ok(due.nextInMs !== null && due.nextInMs > 50_000 && due.nextInMs <= 60_000, `next in ${due.nextInMs}`);
  });

  it("say how long it takes until one is due, to the millisecond, and that it then is (P215)", async () => {
    await using backend = await openEmpty(suite);
    const now = await backend.store.now();
    await insert(backend, newSchedule("s", { dueAt: now + 300 }));

    const before = await backend.store.schedules.due(mine);
    await clock.advance(before.nextInMs ?? 0);
    const after = await backend.store.schedules.due(mine);

    assert.deepEqual(before.schedules, []);
    assert.equal(after.schedules.length, 1);
    assert.equal(after.nextInMs, null);
  });

  it("belong to the clusters of their name; those without one belong to the default cluster (P205)", async () => {
    await using backend = await openEmpty(suite);
    await insert(backend, newSchedule("plain", { dueAt: 1 }));
    await insert(backend, newSchedule("reports", { dueAt: 2, cluster: "reports" }));

    const due = async (...clusters: (string | null)[]): Promise<string[]> =>
      (await backend.store.schedules.due({ clusters, limit: 10 })).schedules.map(
        ({ func, cluster }) => cluster ?? func,
      );

    assert.deepEqual(await due(null), ["core.tasks.report"]);
    assert.deepEqual(await due("reports"), ["reports"]);
    assert.deepEqual(await due(null, "reports"), ["core.tasks.report", "reports"]);
    assert.deepEqual(await due("media"), []);
  });

  it("come in parts when there are many, and say that there are more", async () => {
    await using backend = await openEmpty(suite);
    for (let index = 0; index < 7; index++) await insert(backend, newSchedule(`s${index}`, { dueAt: index }));

    const first = await backend.store.schedules.due({ clusters: [null], limit: 5 });
    for (const schedule of first.schedules) {
      const { progress } = changeOf(schedule);
      await change(backend, changeOf(schedule, { progress: progress && { ...progress, dueAt: null } }));
    }
    const second = await backend.store.schedules.due({ clusters: [null], limit: 5 });

    assert.deepEqual([first.schedules.length, first.nextInMs], [5, 0]);
    assert.deepEqual([second.schedules.length, second.nextInMs], [2, null]);
  });

  it("are not due while they are paused, and keep what is left of their repeats (P221)", async () => {
    await using backend = await openEmpty(suite);
    const schedule = await insert(backend, newSchedule("s", { nextRun: 1, dueAt: 1, repeats: 4 }));
    const progress = { nextRun: 1, repeats: 4, lastTask: null, fault: null };

    await change(backend, changeOf(schedule, { progress: { ...progress, dueAt: null, paused: true } }));
    const paused = await backend.store.schedules.due(mine);
    const stored = await backend.store.schedules.find(schedule.id);
    await change(backend, changeOf(stored!, { progress: { ...progress, dueAt: 1, paused: false } }));
    const resumed = await backend.store.schedules.due(mine);

    assert.deepEqual([paused.schedules.length, paused.nextInMs], [0, null]);
    assert.deepEqual([stored?.paused, stored?.repeats], [true, 4]);
    assert.deepEqual(resumed.schedules[0]?.repeats, 4);
  });
}
