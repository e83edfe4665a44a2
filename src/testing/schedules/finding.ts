import assert from "node:assert/strict";
import { idOf } from "../messages.js";
import { newPlace, openEmpty, type Suite } from "../suite.js";
import { insert, newSchedule, readSchedule } from "./schedules.js";

/** What is stored comes back, names are unique, lists go on where they ended. */
export function findingPromises(suite: Suite): void {
  const { it, clock } = suite;

  it("come back as they were stored, with the time, the first revision and no run (P227)", async () => {
    await using backend = await openEmpty(suite);
    const fault = { error: { name: "E", message: "m", stack: null }, count: 2, retryAt: 7 };
    const schedule = newSchedule("s", {
      name: "nightly",
      cluster: "reports",
      declaredBy: "code",
      nextRun: 1_767_225_600_123,
      dueAt: 1_767_225_600_124,
      repeats: 3,
      paused: true,
      lastTask: idOf("t"),
      fault,
    });

    const before = await backend.store.now();
    const { createdAt, revision, runCount, ...stored } = await insert(backend, schedule);

    assert.deepEqual(stored, schedule);
    assert.deepEqual([revision, runCount], [1, 0]);
    assert.ok(createdAt >= before - 1_000 && createdAt <= before + 10_000, `created at ${createdAt}`);
  });

  it("are found by id and by name, and by nothing else", async () => {
    await using backend = await openEmpty(suite);
    await insert(backend, newSchedule("s", { name: "nightly" }));

    const found = await Promise.all([idOf("s"), "nightly", "weekly"].map((key) => backend.store.schedules.find(key)));

    assert.deepEqual(
      found.map((schedule) => schedule?.id),
      [idOf("s"), idOf("s"), undefined],
    );
  });

  it("have a name once in a project, and answer with who has it (P183)", async () => {
    await using backend = await openEmpty(suite);
    await insert(backend, newSchedule("first", { name: "nightly" }));

    const answer = await backend.store.schedules.insert(newSchedule("second", { name: "nightly" }));

    assert.deepEqual(answer, { id: idOf("first"), created: false });
    assert.equal(await backend.store.schedules.find(idOf("second")), undefined);
  });

  it("may repeat without a name, and have their names in each project anew (P183)", async () => {
    const place = newPlace();
    await using backend = await openEmpty(suite, { place });
    await using blog = await openEmpty(suite, { place, project: "blog" });

    const answers = [];
    for (const name of ["a", "b"]) answers.push(await backend.store.schedules.insert(newSchedule(name)));
    answers.push(await backend.store.schedules.insert(newSchedule("c", { name: "nightly" })));
    answers.push(await blog.store.schedules.insert(newSchedule("d", { name: "nightly" })));

    assert.deepEqual(
      answers.map(({ created }) => created),
      [true, true, true, true],
    );
    assert.equal((await blog.store.schedules.list({ limit: 10 })).length, 1);
  });

  it("let one of many have a name, by a constraint and not by a look before the write (P184)", async () => {
    const place = newPlace();
    await using backend = await openEmpty(suite, { place });
    await using elsewhere = await openEmpty(suite, { place });
    const makers = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? backend : elsewhere));

    const answers = await Promise.all(
      makers.map(({ store }, index) => store.schedules.insert(newSchedule(`s${index}`, { name: "nightly" }))),
    );

    assert.equal(answers.filter(({ created }) => created).length, 1);
    assert.equal(new Set(answers.map(({ id }) => id)).size, 1);
  });

  it("change nothing when the same one is stored again", async () => {
    await using backend = await openEmpty(suite);
    const stored = await insert(backend, newSchedule("s", { name: "nightly" }));

    const answer = await backend.store.schedules.insert(newSchedule("s", { name: "nightly", repeats: 5 }));

    assert.deepEqual(answer, { id: idOf("s"), created: true });
    assert.deepEqual(await readSchedule(backend, idOf("s")), stored);
  });

  it("are listed by id, page after page, and by who declared them", async () => {
    await using backend = await openEmpty(suite);
    const ids = Array.from({ length: 7 }, (_, index) => idOf(`s${index}`)).sort();
    for (let index = 0; index < 7; index++) {
      await insert(backend, newSchedule(`s${index}`, { declaredBy: index < 3 ? "code" : null }));
    }

    const first = await backend.store.schedules.list({ limit: 4 });
    const second = await backend.store.schedules.list({ limit: 4, after: first.at(-1)?.id });
    const declared = await backend.store.schedules.list({ limit: 10, declaredBy: "code" });

    assert.deepEqual(
      [...first, ...second].map(({ id }) => id),
      ids,
    );
    assert.deepEqual(declared.map(({ id }) => id).sort(), [0, 1, 2].map((index) => idOf(`s${index}`)).sort());
  });

  it("are counted, the paused and the broken ones too, with the next time that anybody has to look", async () => {
    await using backend = await openEmpty(suite);
    const now = await backend.store.now();
    const fault = { error: { name: "E", message: "m", stack: null }, count: 1, retryAt: 1 };
    await insert(backend, newSchedule("a", { dueAt: now + 9_000 }));
    await insert(backend, newSchedule("b", { dueAt: now + 5_000, fault, cluster: "reports" }));
    await insert(backend, newSchedule("c", { paused: true }));

    assert.deepEqual(await backend.store.schedules.counts(10), { all: 3, paused: 1, broken: 1, nextRun: now + 5_000 });
    assert.deepEqual((await backend.store.schedules.counts(1)).all, 2);
  });

  it("tell those who watch that something has changed", async () => {
    const place = newPlace();
    await using backend = await openEmpty(suite, { place });
    await using elsewhere = await openEmpty(suite, { place });
    let heard = 0;
    const stop = backend.store.schedules.watch(() => (heard += 1));

    await elsewhere.store.schedules.insert(newSchedule("s"));
    for (let waited = 0; heard === 0 && waited < 4_000; waited += 20) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await clock.advance(0);
    }
    stop();

    assert.ok(heard > 0, "nobody was told of the new schedule");
  });
}
