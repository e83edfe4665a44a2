import assert from "node:assert/strict";
import type { StoredSchedule } from "../../contracts/schedules.js";
import type { UniqueKey } from "../../contracts/store.js";
import { consumer, idOf, names, takeAll } from "../messages.js";
import { newPlace, openEmpty, type Suite } from "../suite.js";
import { newTask, stateOf } from "../tasks.js";
import { change, changeOf, firing, insert, newSchedule, readSchedule, runOf } from "./schedules.js";

/** Every change is one conditional write that holds all of it. */
export function changePromises(suite: Suite): void {
  suite.describe("changes", () => {
    writtenPromises(suite);
    refusedPromises(suite);
    racePromises(suite);
  });
}

function writtenPromises(suite: Suite): void {
  const { it } = suite;

  it("store the task, the run and the next slot of a schedule in one write (P217)", async () => {
    await using backend = await openEmpty(suite);
    const schedule = await insert(backend, newSchedule("s", { nextRun: 1_000, dueAt: 1_000 }));

    const answer = await change(backend, firing(schedule, "t", 1_000));

    const after = await readSchedule(backend, schedule.id);
    const [task] = await backend.store.get([idOf("t")]);
    assert.equal(answer, "done");
    assert.deepEqual([after.nextRun, after.dueAt, after.lastTask], [61_000, 61_000, idOf("t")]);
    assert.deepEqual([after.revision, after.runCount], [2, 1]);
    assert.deepEqual([task?.state, task?.parent], ["queued", schedule.id]);
    assert.deepEqual(names(await takeAll(await consumer(backend.broker))), ["t"]);
    assert.deepEqual(
      (await backend.store.schedules.runs(schedule.id, { limit: 9 })).map((run) => [run.number, run.slot, run.task]),
      [[1, 1_000, idOf("t")]],
    );
  });

  it("keep what was asked for unless they bring another definition, and then all of it", async () => {
    await using backend = await openEmpty(suite);
    const schedule = await insert(backend, newSchedule("s", { name: "nightly" }));
    const definition = {
      name: "weekly",
      cluster: "reports",
      func: "core.tasks.other",
      rule: "another rule",
      target: "another target",
      declaredBy: "code",
      fingerprint: "another print",
    };

    await change(backend, changeOf(schedule));
    const kept = await readSchedule(backend, schedule.id);
    await change(backend, changeOf(kept, { definition }));
    const edited = await readSchedule(backend, schedule.id);

    assert.deepEqual(kept, { ...schedule, revision: 2 });
    assert.deepEqual(edited, { ...schedule, ...definition, revision: 3 });
  });

  it("remove a schedule with its runs, and leave its tasks", async () => {
    await using backend = await openEmpty(suite);
    const schedule = await insert(backend, newSchedule("s", { name: "nightly" }));
    await change(backend, firing(schedule, "t", 1_000));
    const fired = await readSchedule(backend, schedule.id);

    const answer = await change(backend, changeOf(fired, { progress: null, tasks: [newTask("last")] }));

    assert.equal(answer, "done");
    assert.equal(await backend.store.schedules.find("nightly"), undefined);
    assert.deepEqual(await backend.store.schedules.runs(schedule.id, { limit: 9 }), []);
    assert.deepEqual([await stateOf(backend, "t"), await stateOf(backend, "last")], ["queued", "queued"]);
    assert.equal((await backend.store.schedules.insert(newSchedule("new", { name: "nightly" }))).created, true);
  });

  it("make no second task of an id that is known already", async () => {
    await using backend = await openEmpty(suite);
    const schedule = await insert(backend, newSchedule("s"));
    await backend.store.submit([newTask("t", { envelope: "the first" })]);

    await change(backend, firing(schedule, "t", 1_000));

    assert.deepEqual(names(await takeAll(await consumer(backend.broker))), ["the first"]);
    const [run] = await backend.store.schedules.runs(schedule.id, { limit: 1 });
    assert.equal(run?.task, idOf("t"));
  });

  it("keep the run of a task whose unique key is taken as skipped", async () => {
    await using backend = await openEmpty(suite);
    const unique: UniqueKey = { key: "k", until: "finished", forMs: null };
    const schedule = await insert(backend, newSchedule("s"));
    await backend.store.submit([newTask("holder", { unique })]);
    const fired = firing(schedule, "t", 1_000);

    await change(backend, { ...fired, tasks: fired.tasks.map((task) => ({ ...task, unique })) });

    const [run] = await backend.store.schedules.runs(schedule.id, { limit: 1 });
    assert.deepEqual([run?.task, run?.state], [null, "skipped"]);
    assert.equal(await stateOf(backend, "t"), "unknown");
  });
}

function refusedPromises(suite: Suite): void {
  const { it } = suite;

  it("are refused when somebody was faster, and store nothing then (P217)", async () => {
    await using backend = await openEmpty(suite);
    const schedule = await insert(backend, newSchedule("s", { nextRun: 1_000, dueAt: 1_000 }));
    await change(backend, firing(schedule, "first", 1_000));

    const answer = await change(backend, firing(schedule, "second", 1_000));

    assert.equal(answer, "stale");
    assert.equal(await stateOf(backend, "second"), "unknown");
    assert.equal((await backend.store.schedules.runs(schedule.id, { limit: 9 })).length, 1);
    assert.equal((await readSchedule(backend, schedule.id)).revision, 2);
  });

  it("are refused when the schedule is gone", async () => {
    await using backend = await openEmpty(suite);
    const schedule = await insert(backend, newSchedule("s"));
    await change(backend, changeOf(schedule, { progress: null }));

    const answers = await backend.store.schedules.change([
      firing(schedule, "t", 1_000),
      changeOf(schedule, { progress: null }),
    ]);

    assert.deepEqual(answers, ["stale", "stale"]);
    assert.equal(await stateOf(backend, "t"), "unknown");
  });

  it("are refused when another schedule has the new name (P184)", async () => {
    await using backend = await openEmpty(suite);
    await insert(backend, newSchedule("a", { name: "nightly" }));
    const other = await insert(backend, newSchedule("b", { name: "weekly" }));

    const answer = await change(backend, changeOf(other, { definition: { ...other, name: "nightly" } }));

    assert.equal(answer, "taken");
    assert.deepEqual(await readSchedule(backend, other.id), other);
  });

  it("do not spoil one another: of one call each is made or refused by itself (P218)", async () => {
    await using backend = await openEmpty(suite);
    const made = await insert(backend, newSchedule("a"));
    const stale = await insert(backend, newSchedule("b"));
    const also = await insert(backend, newSchedule("c"));
    await change(backend, changeOf(stale));

    const answers = await backend.store.schedules.change([
      firing(made, "t1", 1_000),
      firing(stale, "t2", 1_000),
      firing(also, "t3", 1_000),
    ]);

    assert.deepEqual(answers, ["done", "stale", "done"]);
    const states = await Promise.all(["t1", "t2", "t3"].map((name) => stateOf(backend, name)));
    assert.deepEqual(states, ["queued", "unknown", "queued"]);
  });

  it("reach no schedule of another project", async () => {
    const place = newPlace();
    await using backend = await openEmpty(suite, { place });
    await using blog = await openEmpty(suite, { place, project: "blog" });
    const schedule = await insert(backend, newSchedule("s"));

    assert.equal(await change(blog, changeOf(schedule, { progress: null })), "stale");
    assert.deepEqual(await readSchedule(backend, schedule.id), schedule);
  });
}

function racePromises(suite: Suite): void {
  suite.it(
    "of many that fire the same slots let one win for each, in several processes' connections (P217)",
    async () => {
      const place = newPlace();
      await using first = await openEmpty(suite, { place });
      await using second = await openEmpty(suite, { place });
      await using third = await openEmpty(suite, { place });
      const schedules: StoredSchedule[] = [];
      for (let index = 0; index < 25; index++) {
        schedules.push(await insert(first, newSchedule(`s${index}`, { nextRun: 1_000, dueAt: 1_000 })));
      }

      const answers = await Promise.all(
        [first, second, third].map(({ store }, cluster) =>
          store.schedules.change(
            schedules.map((schedule, index) => {
              const fired = firing(schedule, `t${index}`, 1_000);
              return { ...fired, runs: [runOf(schedule, { slot: cluster, task: idOf(`t${index}`) })] };
            }),
          ),
        ),
      );

      const wins = schedules.map((_, index) => answers.filter((answer) => answer[index] === "done").length);
      assert.deepEqual(
        wins,
        schedules.map(() => 1),
      );
      assert.equal((await takeAll(await consumer(first.broker))).length, 25);
      for (const { id } of schedules) {
        assert.equal((await first.store.schedules.runs(id, { limit: 9 })).length, 1);
      }
    },
  );
}
