import { describe, expect, it } from "vitest";
import { z } from "zod";
import { backends } from "../../test/support/backends.js";
import { eachQueue, testConfig } from "../../test/support/each-queue.js";
import { testKeys } from "../../test/support/run-queued.js";
import type { Backend } from "../contracts/backend.js";
import type { ChangeAnswer, InsertedSchedule, NewSchedule, ScheduleChange, Schedules } from "../contracts/schedules.js";
import type { Store } from "../contracts/store.js";
import { openRequest } from "../core/open-request.js";
import { UnknownTaskError } from "../errors.js";
import { createQluster } from "./create-qluster.js";
import { Schedule, scheduled } from "./scheduled.js";
import type { ScheduleRule } from "./schedule-types.js";
import { ref, task } from "./task.js";
import type { Qluster } from "./types.js";

const report = task("schedules.report", (..._args: unknown[]) => "sent");
const checked = task("schedules.checked", (id: string, options: { date: string }) => `${id}${options.date}`, {
  input: z.tuple([z.string(), z.object({ date: z.iso.datetime() })]),
});
const hook = task("schedules.hook", () => undefined);
const daily = { type: "DAILY", at: "03:00" } as const;
const hourMs = 3_600_000;

describe.each(backends)("schedules on %s", (_, open) => {
  let backend: Backend;
  let q: Qluster;
  eachQueue(open, (fresh) => ({ q, backend } = fresh));

  /** What the task of a run now would be given. */
  async function ran(idOrName: string) {
    const id = await q.schedules.runNow(idOrName);
    const [stored] = await backend.store.get([id]);
    if (stored === undefined) throw new Error(`nothing was stored as ${id}`);
    return { ...openRequest(testKeys, stored, { maxBytes: 1e6 }), stored };
  }

  describe("schedule", () => {
    it("stores a schedule and returns it: ONCE, now, for ever, unless it says otherwise (P175, P196)", async () => {
      const made = await q.schedule("schedules.report", {});

      expect(made).toMatchObject({ func: "schedules.report", type: "ONCE", repeats: -1, paused: false, args: [] });
      expect(Math.abs(made.nextRun!.getTime() - Date.now())).toBeLessThan(5_000);
      expect(await q.schedules.get(made.id)).toMatchObject({ id: made.id, name: undefined, isDeclared: false });
    });

    it("takes all of Django Q2's arguments (P175, P176, P187, P188)", async () => {
      const made = await q.schedule(report, {
        args: [2, -2],
        name: "report",
        hook,
        type: Schedule.MINUTES,
        minutes: 5,
        repeats: 24,
        nextRun: new Date("2030-01-01T00:00Z"),
        cluster: "reports",
        intendedDateKwarg: "date",
        kwargs: { dry: true },
        timeout: "10s",
      });

      expect(made).toMatchObject({
        name: "report",
        minutes: 5,
        repeats: 24,
        cluster: "reports",
        hook: "schedules.hook",
      });
      const { header, args } = await ran("report");
      expect(header).toMatchObject({ hook: "schedules.hook", timeout: 10_000, kind: "slot" });
      expect(args).toEqual([2, -2, { dry: true, date: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T/) as string }]);
    });

    it("makes tasks with the arguments, options and hook that it was given (P187, P188, P207)", async () => {
      await q.schedule(report.with({ priority: 4, group: "own" }), {
        ...daily,
        name: "report",
        args: [new Date(5), 7n],
        attempts: 2,
      });

      const { header, args, stored } = await ran("report");

      expect(args).toEqual([new Date(5), 7n]);
      expect(stored).toMatchObject({ func: "schedules.report", priority: 4, group: "own", queue: "test" });
      expect(header).toMatchObject({ attempts: 2, group: "own" });
    });

    it("puts tasks in the group of its options, else of its name, else of its id (P207)", async () => {
      const [given, named, plain] = [
        await q.schedule(report, { ...daily, name: "a", group: "g" }),
        await q.schedule(report, { ...daily, name: "b" }),
        await q.schedule(report, daily),
      ];

      expect([given.group, named.group, plain.group]).toEqual(["g", "b", plain.id]);
    });

    it("sends tasks to its cluster, else to the queue of its options, else to the default one (P206)", async () => {
      const queues = [];
      for (const options of [{ cluster: "reports", queue: "media" }, { queue: "media" }, {}]) {
        queues.push((await q.schedule(report, { ...daily, ...options })).queue);
      }

      expect(queues).toEqual(["reports", "media", "test"]);
    });

    it("shows as the name of its task (P201)", async () => {
      expect(String(await q.schedule(report, daily))).toBe("schedules.report");
    });

    it("counts a number of repeats below -1 as -1 (P208)", async () => {
      expect((await q.schedule(report, { ...daily, repeats: -7 })).repeats).toBe(-1);
      expect((await q.schedule(report, { ...daily, repeats: 0 })).repeats).toBe(0);
    });

    it("refuses a name that is taken, and says how to go on (P183, P184)", async () => {
      await q.schedule(report, { ...daily, name: "report" });

      const second = q.schedule(report, { ...daily, name: "report" });

      await expect(second).rejects.toMatchObject({ code: "QLUSTER_SCHEDULE", field: "name" });
      await expect(second).rejects.toThrow(/named "report" already .* give `upsert: true`/);
      await q.schedule(report, daily);
      await q.schedule(report, daily);
      expect(await q.schedules.list()).toHaveLength(3);
    });

    it("changes the one that has the name with `upsert`, as often as it is declared, by many at once (P184)", async () => {
      const first = await q.schedule(report, { ...daily, name: "report", args: [1] });

      const made = await Promise.all(
        Array.from({ length: 5 }, () =>
          q.schedule(report, { ...daily, at: "04:00", name: "report", args: [2], upsert: true }),
        ),
      );

      expect(new Set(made.map(({ id }) => id))).toEqual(new Set([first.id]));
      expect(await q.schedules.get("report")).toMatchObject({ args: [2], description: "Every day at 04:00 (UTC)." });
      const revision = (await backend.store.schedules.find("report"))!.revision;
      await q.schedule(report, { ...daily, at: "04:00", name: "report", args: [2], upsert: true });
      expect((await backend.store.schedules.find("report"))!.revision).toBe(revision);
    });

    it.each<[string, unknown, object, RegExp]>([
      ["a blank task (P185)", "", daily, /not empty/],
      ["a task's name above 256 characters (P185, P369)", "x".repeat(257), daily, /257 characters; at most 256/],
      ["a name above 100 characters (P369)", report, { ...daily, name: "x".repeat(101) }, /at most 100/],
      ["CRON without an expression (P182)", report, { type: "CRON" }, /needs an expression/],
      ["a cron expression that is none (P181)", report, { type: "CRON", cron: "0 22 * * 1-12" }, /position 12/],
      ["an unknown zone (P198)", report, { ...daily, timeZone: "moscow" }, /Did you mean "Europe\/Moscow"/],
      ["minutes below 1 (P182)", report, { type: "MINUTES", minutes: -1 }, /at least 1/],
      ["an end in the past (P197)", report, { ...daily, until: new Date(0) }, /in the past/],
      [
        "a keyword that is no name (P193)",
        report,
        { ...daily, intendedDateKwarg: "not valid!" },
        /expected a name such as "date"/,
      ],
      ["a keyword that would do harm (P193)", report, { ...daily, intendedDateKwarg: "__proto__" }, /expected a name/],
      ["kwargs that are no object (P191)", report, { ...daily, kwargs: "x=1" }, /expected an object/],
      ["args that are no array (P191)", report, { ...daily, args: "2, -2" }, /expected an array/],
      ["a value that no message carries (P190)", report, { ...daily, args: [() => 1] }, /args\[0\] is a function/],
      ["an option that does not exist", report, { ...daily, timeot: "5s" }, /Did you mean timeout/],
      ["Django Q2's qOptions (P187)", report, { ...daily, qOptions: {} }, /as options themselves/],
      ["runAt", report, { ...daily, runAt: new Date() }, /nextRun/],
      ["an option of its tasks that cannot be used", report, { ...daily, attempts: -1 }, /attempts/],
      ["repeats that are no number", report, { ...daily, repeats: 1.5 }, /repeats is 1.5/],
      ["a rule that is none", report, [], /expected an object/],
      ["arguments above the limit (P190)", report, { ...daily, args: ["x".repeat(300_000)] }, /maxMessage/],
    ])("refuses %s, and stores nothing", async (__, target, rule, message) => {
      await expect(q.schedule(target as string, rule as ScheduleRule)).rejects.toThrow(message);
      expect(await q.schedules.list()).toEqual([]);
    });

    it("refuses a task that is not known, where all are (P186)", async () => {
      const elsewhere = createQluster({ ...testConfig, tasks: [] }, { backend, env: {} });
      await elsewhere.loadTasks();

      await expect(elsewhere.schedule("schedules.reprot", daily)).rejects.toThrow(UnknownTaskError);
      await elsewhere.schedule(ref("other.service.report"), daily);
      await q.schedule("schedules.reprot", daily);
      expect(await q.schedules.list()).toHaveLength(2);
    });

    it("checks arguments by the task's schema, as the task will get them (P186, P190, P192)", async () => {
      const rule = { ...daily, intendedDateKwarg: "date" };

      await expect(q.schedule("schedules.checked", { ...rule, args: [1] })).rejects.toMatchObject({
        code: "QLUSTER_ARGUMENTS",
      });
      await q.schedule("schedules.checked", { ...rule, args: ["a"], name: "checked" });

      expect((await ran("checked")).args).toEqual(["a", { date: expect.any(String) as string }]);
      expect(checked.taskName).toBe("schedules.checked");
    });

    it("never runs a cron expression at its creation (P194)", async () => {
      const { nextRun } = await q.schedule(report, { type: "CRON", cron: "0 0 1 1 *", nextRun: new Date() });

      expect(nextRun!.toISOString()).toMatch(/-01-01T00:00:00.000Z$/);
      expect(nextRun!.getTime()).toBeGreaterThan(Date.now());
    });
  });

  describe("q.schedules", () => {
    it("lists schedules in the order in which they were made, page after page", async () => {
      for (const name of ["a", "b", "c"]) await q.schedule(report, { ...daily, name });

      const first = await q.schedules.list({ limit: 2 });
      const rest = await q.schedules.list({ limit: 2, after: first.at(-1)?.id });

      expect([...first, ...rest].map(({ name }) => name)).toEqual(["a", "b", "c"]);
    });

    it("changes cron, type, minutes or zone and looks for the next slot anew (P195)", async () => {
      await q.schedule(report, { type: "CRON", cron: "0 0 1 1 *", name: "report", args: [1], repeats: 9 });

      const cron = await q.schedules.update("report", { cron: "0 0 1 6 *" });
      const zone = await q.schedules.update("report", { timeZone: "Europe/Moscow" });
      const minutes = await q.schedules.update("report", { type: "MINUTES", minutes: 30 });

      expect(cron.nextRun!.toISOString()).toMatch(/-06-01T00:00:00.000Z$/);
      expect(zone.nextRun!.toISOString()).toMatch(/-05-31T21:00:00.000Z$/);
      expect(minutes.nextRun!.getTime() - Date.now()).toBeLessThanOrEqual(hourMs / 2);
      expect(minutes).toMatchObject({
        type: "MINUTES",
        cron: undefined,
        repeats: 9,
        args: [1],
        timeZone: "Europe/Moscow",
      });
    });

    it("changes name, arguments and options of the tasks, and leaves the slot as it is (P189)", async () => {
      const before = await q.schedule(report, { ...daily, name: "report", args: [1], timeout: "1m", priority: 2 });

      const after = await q.schedules.update("report", { name: "weekly", args: [2, 3], timeout: "5s" });

      expect(after).toMatchObject({
        id: before.id,
        name: "weekly",
        args: [2, 3],
        group: "weekly",
        nextRun: before.nextRun,
      });
      const { header, args, stored } = await ran("weekly");
      expect([header.timeout, stored.priority, args]).toEqual([5_000, 2, [2, 3]]);
    });

    it("refuses a change that cannot be, and leaves all as it was", async () => {
      await q.schedule(report, { ...daily, name: "a" });
      await q.schedule(report, { ...daily, name: "b" });

      await expect(q.schedules.update("b", { name: "a" })).rejects.toThrow('Another schedule has the name "a"');
      await expect(q.schedules.update("b", { type: "CRON", cron: "61 * * * *" })).rejects.toThrow("position 1");
      await expect(q.schedules.update("c", {})).rejects.toThrow('There is no schedule "c"');
      expect((await q.schedules.get("b"))?.description).toBe("Every day at 03:00 (UTC).");
    });

    it("pauses and resumes without a look at what was missed, and keeps the repeats (P221)", async () => {
      await q.schedule(report, {
        type: "HOURLY",
        nextRun: new Date(Date.now() - 5.5 * hourMs),
        name: "report",
        repeats: 7,
      });

      const paused = await q.schedules.pause("report");
      const due = await backend.store.schedules.due({ clusters: [null], limit: 9 });
      const resumed = await q.schedules.resume("report");

      expect([paused.paused, due.schedules.length]).toEqual([true, 0]);
      expect(resumed).toMatchObject({ paused: false, repeats: 7 });
      expect(resumed.nextRun!.getTime()).toBeGreaterThan(Date.now());
    });

    it("skips the next slot, and runs at once, and shows both among its runs (P222)", async () => {
      const { nextRun } = await q.schedule(report, { ...daily, name: "report", repeats: 3 });

      const skipped = await q.schedules.skipNext("report");
      const id = await q.schedules.runNow("report");

      expect(skipped.nextRun!.getTime() - nextRun!.getTime()).toBe(24 * hourMs);
      expect(await q.schedules.runs("report")).toMatchObject([
        { number: 2, taskId: id, state: "queued", manual: true },
        { number: 1, taskId: undefined, state: "skipped", manual: false, slot: nextRun },
      ]);
      expect(await q.schedules.get("report")).toMatchObject({ repeats: 3, lastTask: id });
    });

    it("runs at once only once when the store has made the run and nobody was told (P217)", async () => {
      await q.schedule(report, { ...daily, name: "report" });
      const { store } = backend;
      let calls = 0;
      const schedules = Object.assign(Object.create(store.schedules) as Schedules, {
        change: async (changes: readonly ScheduleChange[]): Promise<ChangeAnswer[]> => {
          const answers = await store.schedules.change(changes);
          // As a store that was told again after its first answer was lost.
          return (calls += 1) === 1 ? answers.map(() => "stale") : answers;
        },
      });
      const forgetful = { ...backend, store: Object.assign(Object.create(store) as Store, { schedules }) };
      const other = createQluster(testConfig, { backend: forgetful, env: {} });

      const id = await other.schedules.runNow("report");

      expect(await q.schedules.runs("report")).toMatchObject([{ taskId: id }]);
    });

    it("is made once when it has fired and is gone before it is read back (P177)", async () => {
      const { store } = backend;
      const made: string[] = [];
      const schedules = Object.assign(Object.create(store.schedules) as Schedules, {
        insert: async (schedule: NewSchedule): Promise<InsertedSchedule> => {
          made.push(schedule.id);
          return await store.schedules.insert(schedule);
        },
        // As a cluster leaves it that was faster.
        find: async (): Promise<undefined> => undefined,
      });
      const quick = { ...backend, store: Object.assign(Object.create(store) as Store, { schedules }) };
      await using other = createQluster(testConfig, { backend: quick, env: {} });

      const schedule = await other.schedule(report, { type: "ONCE" });

      expect(made).toEqual([schedule.id]);
    });

    it("keeps the id of the last task, and tells its outcome (P202)", async () => {
      const made = await q.schedule(report, { ...daily, name: "report" });
      const id = await q.schedules.runNow("report");

      const after = (await q.schedules.get("report"))!;

      expect([made.lastTask, after.lastTask]).toEqual([undefined, id]);
      expect([await made.success(), await after.success()]).toEqual([undefined, undefined]);
    });

    it("removes a schedule once", async () => {
      await q.schedule(report, { ...daily, name: "report" });

      expect([await q.schedules.remove("report"), await q.schedules.remove("report")]).toEqual([true, false]);
      expect(await q.schedules.get("report")).toBeUndefined();
      expect(await q.schedules.runs("report")).toEqual([]);
    });

    it("previews a rule that nobody has stored, and a schedule, with notes on the clocks", async () => {
      const rule = { type: "CRON", cron: "30 2 * * *", timeZone: "Europe/Amsterdam" } as const;
      await q.schedule(report, { ...rule, name: "report" });
      const after = new Date("2026-03-28T12:00Z");

      const slots = await q.schedules.preview(rule, { count: 2, after });

      expect(slots).toEqual([
        { slot: new Date("2026-03-29T01:30Z"), note: expect.stringContaining("02:30 does not exist") as string },
        { slot: new Date("2026-03-30T00:30Z"), note: undefined },
      ]);
      expect(await q.schedules.preview("report", { count: 2, after })).toEqual(slots);
      expect(await q.schedules.preview("report")).toHaveLength(5);
    });
  });

  describe("sync", () => {
    const declare = (at: string, ...names: string[]) =>
      names.map((name) => scheduled(report, { ...daily, at, name, args: [1] }));

    it("makes the store what the code says, and reports what it did (P184)", async () => {
      const first = await q.schedules.sync(declare("03:00", "a", "b", "c"));
      const again = await q.schedules.sync(declare("03:00", "a", "b", "c"));
      const other = await q.schedules.sync([
        ...declare("03:00", "a"),
        ...declare("05:00", "b"),
        ...declare("03:00", "d"),
      ]);

      expect(first).toEqual({ added: ["a", "b", "c"], changed: [], unchanged: [], removed: [] });
      expect(again).toEqual({ added: [], changed: [], unchanged: ["a", "b", "c"], removed: [] });
      expect(other).toEqual({ added: ["d"], changed: ["b"], unchanged: ["a"], removed: ["c"] });
      expect((await q.schedules.list()).map(({ name, isDeclared }) => [name, isDeclared])).toEqual([
        ["a", true],
        ["b", true],
        ["d", true],
      ]);
    });

    it("leaves schedules made by hand alone, those of other sets too, and takes over one whose name it declares", async () => {
      await q.schedule(report, { ...daily, name: "by-hand" });
      await q.schedule(report, { ...daily, name: "taken-over" });
      await q.schedules.sync(declare("03:00", "other"), { set: "billing" });

      const report1 = await q.schedules.sync(declare("03:00", "taken-over"));
      const report2 = await q.schedules.sync([]);

      expect(report1.changed).toEqual(["taken-over"]);
      expect(report2.removed).toEqual(["taken-over"]);
      expect((await q.schedules.list()).map(({ name }) => name)).toEqual(["by-hand", "other"]);
    });

    it("keeps the slot, the pause and the runs of what it declares again", async () => {
      await q.schedules.sync([scheduled(report, { every: "1h", name: "a", nextRun: new Date("2030-01-01T00:00Z") })]);
      await q.schedules.pause("a");

      await q.schedules.sync([scheduled(report, { every: "1h", name: "a", nextRun: new Date("2031-01-01T00:00Z") })]);

      expect(await q.schedules.get("a")).toMatchObject({ paused: true, nextRun: new Date("2030-01-01T00:00Z") });
    });

    it("lets many programs start at once: each schedule is there once (P184)", async () => {
      const reports = await Promise.all(Array.from({ length: 6 }, () => q.schedules.sync(declare("03:00", "a", "b"))));

      expect(reports.flatMap(({ added }) => added).sort()).toEqual(["a", "b"]);
      expect(await q.schedules.list()).toHaveLength(2);
    });

    it("writes nothing when one declaration is wrong, and says which", async () => {
      const wrong = scheduled(report, { type: "CRON", cron: "61 * * * *", name: "wrong" });

      await expect(q.schedules.sync([...declare("03:00", "a"), wrong])).rejects.toThrow(
        "At place 1 of sync: The cron expression",
      );
      await expect(q.schedules.sync(declare("03:00", "a", "a"))).rejects.toThrow('has the name "a" too');
      await expect(q.schedules.sync([{}] as never)).rejects.toThrow("expected scheduled(task");
      expect(await q.schedules.list()).toEqual([]);
    });

    it("keeps what is declared from being edited by hand", async () => {
      await q.schedules.sync(declare("03:00", "a"));

      await expect(q.schedules.update("a", { at: "04:00" })).rejects.toThrow("is declared in code");
    });
  });

  it("with Django Q2's values takes 0 minutes for 1, and makes up for all missed slots (P037, P178, P210)", async () => {
    const like = createQluster({ ...testConfig, preset: "django-q2" }, { backend, env: {} });

    const made = await like.schedule(report, { type: "MINUTES", minutes: 0 });

    expect([made.minutes, made.catchUp]).toEqual([1, "all"]);
  });

  it("says who fires a schedule without a cluster where the configuration's own cluster will not (P205)", async () => {
    const lines: string[] = [];
    const say = (text: string): void => void lines.push(text);
    const logger = { debug: say, info: say, warn: say, error: say };
    const media = createQluster({ ...testConfig, clusterName: "media", logger }, { backend, env: {} });

    await media.schedule(report, daily);
    await media.schedule(report, { ...daily, cluster: "media" });

    expect(lines).toEqual([
      expect.stringContaining('clusters with the name "test" fire it; this configuration\'s is "media"'),
    ]);
  });

  it("uses the zone of the configuration, which is UTC by default (P053, P198, P224, P235)", async () => {
    const moscow = createQluster({ ...testConfig, timeZone: "Europe/Moscow" }, { backend, env: {} });

    const zones = [
      (await q.schedule(report, daily)).timeZone,
      (await moscow.schedule(report, daily)).timeZone,
      (await moscow.schedule(report, { ...daily, timeZone: "Asia/Tehran" })).timeZone,
    ];

    expect(zones).toEqual(["UTC", "Europe/Moscow", "Asia/Tehran"]);
    expect(() => createQluster({ ...testConfig, timeZone: "Mars" }, { backend, env: {} })).toThrow("timeZone");
  });
});
