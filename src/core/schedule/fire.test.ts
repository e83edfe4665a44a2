import { beforeAll, describe, expect, it } from "vitest";
import type { StoredSchedule } from "../../contracts/schedules.js";
import { sealTask } from "../envelope.js";
import { keyring } from "../keyring.js";
import { openRequest } from "../open-request.js";
import type { TaskHeader } from "../task-header.js";
import { checkRule, type RuleInput } from "./check-rule.js";
import { breakSchedule, dueAtOf, fireNow, fireSchedule, ruleOf, skipSlot } from "./fire.js";
import { slotTaskId } from "./slot-message.js";
import { zoneClock, type ZoneClock } from "./zone-clock.js";

const keys = keyring("shop", ["a secret for tests only"]);
const start = Date.parse("2026-01-01T12:00:00Z");
const minute = 60_000;
let zone: ZoneClock;

beforeAll(async () => {
  zone = await zoneClock("UTC");
});

/** A schedule that waits for its first slot, at noon. */
function schedule(
  input: RuleInput,
  options: Partial<StoredSchedule> = {},
  header: Partial<TaskHeader> = {},
): StoredSchedule {
  const setting = { now: start, zone, catchUp: "latest", zeroMinutes: false } as const;
  const { rule, firstSlot } = checkRule({ nextRun: new Date(start), ...input }, setting);
  const sealed: TaskHeader = { v: 1, id: "s1", func: "jobs.report", group: "reports", kind: "schedule", ...header };
  const seal = { compress: false, encrypt: false, maxBytes: 100_000 };
  const target = {
    kind: "task",
    queue: "shop",
    envelope: sealTask(keys, "shop", sealed, [1, { a: 2 }], seal),
    name: null,
    group: "reports",
    priority: 3,
    delayMs: 0,
    expiresMs: null,
    unique: null,
  };
  const progress = { nextRun: firstSlot, repeats: -1, paused: false, lastTask: null, fault: null };
  return {
    id: "s1",
    name: "report",
    cluster: null,
    func: "jobs.report",
    rule: JSON.stringify(rule),
    target: JSON.stringify(target),
    declaredBy: null,
    fingerprint: "",
    ...progress,
    dueAt: dueAtOf(progress),
    revision: 7,
    runCount: 0,
    createdAt: start,
    ...options,
  };
}

/** The minutes after noon of the slots that were fired, and of the slot that it waits for then. */
function fired(
  given: StoredSchedule,
  lateMs: number,
  isBusy = false,
): { fire: number[]; next: number | null; left: number | undefined } {
  const { runs, progress } = fireSchedule(given, start + lateMs, isBusy, zone);
  const after = progress?.nextRun;
  return {
    fire: runs.filter(({ task }) => task !== null).map(({ slot }) => (slot - start) / minute),
    next: after === null || after === undefined ? null : (after - start) / minute,
    left: progress?.repeats,
  };
}

describe("firing", () => {
  it.each<[string, RuleInput, number, number, number[], number | null, number]>([
    ["one slot in time (P204)", { type: "MINUTES" }, -1, 0.001, [0], 1, -1],
    [
      "by `latest` the newest of those that were missed, on the old grid (P211)",
      { type: "MINUTES" },
      -1,
      3.5,
      [3],
      4,
      -1,
    ],
    [
      "by `latest` one run of the repeats, however many slots were missed (P211)",
      { type: "MINUTES" },
      5,
      3.5,
      [3],
      4,
      4,
    ],
    [
      "by `all` every missed slot at once (P210, P213)",
      { type: "MINUTES", catchUp: "all" },
      -1,
      3.5,
      [0, 1, 2, 3],
      4,
      -1,
    ],
    [
      "by `all` no more than the newest up to the limit (P213)",
      { type: "MINUTES", catchUp: "all", catchUpLimit: 2 },
      -1,
      3.5,
      [2, 3],
      4,
      -1,
    ],
    [
      "by `all` no more than what is left of the repeats (P208, P210)",
      { type: "MINUTES", catchUp: "all" },
      3,
      9.5,
      [0, 1, 2],
      10,
      0,
    ],
    ["by `none` nothing that is late (P213)", { type: "MINUTES", minutes: 10, catchUp: "none" }, 3, 5, [], 10, 3],
    ["by `none` what is in time (P213)", { type: "MINUTES", catchUp: "none" }, 3, 0.4, [0], 1, 2],
    ["a cron expression once by `latest` (P212)", { type: "CRON", cron: "* * * * *" }, -1, 4.5, [4], 5, -1],
    [
      "a cron expression for every missed slot by `all` (P212, P234)",
      { type: "CRON", cron: "* * * * *", catchUp: "all" },
      -1,
      3.5,
      [1, 2, 3],
      4,
      -1,
    ],
    ["the last of its repeats (P208)", { type: "MINUTES" }, 1, 0.1, [0], 1, 0],
  ])("fires %s", (_, input, repeats, late, fire, next, left) => {
    const given = schedule(input, { repeats });

    expect(fired(given, late * minute)).toEqual({ fire, next, left });
  });

  it("is quick for a year of missed minutes (P213)", () => {
    const began = performance.now();

    const { runs } = fireSchedule(
      schedule({ type: "CRON", cron: "* * * * *" }),
      start + 365 * 24 * 60 * minute,
      false,
      zone,
    );

    expect(runs).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(250);
  });

  it("removes ONCE after its run when its repeats are negative (P209)", () => {
    const change = fireSchedule(schedule({ type: "ONCE" }), start + 1, false, zone);

    expect(change.progress).toBeNull();
    expect(change.tasks).toHaveLength(1);
  });

  it("keeps ONCE with 0 repeats after its run when they are positive (P209)", () => {
    const { progress, tasks } = fireSchedule(schedule({ type: "ONCE" }, { repeats: 3 }), start + 1, false, zone);

    expect(progress).toMatchObject({ repeats: 0, nextRun: null, dueAt: null });
    expect(tasks).toHaveLength(1);
  });

  it("never looks at a schedule with 0 repeats, nor at a paused one (P204, P208, P209, P221)", () => {
    expect(dueAtOf({ nextRun: 5, paused: false, repeats: 0 })).toBeNull();
    expect(dueAtOf({ nextRun: 5, paused: true, repeats: -1 })).toBeNull();
    expect(dueAtOf({ nextRun: 5, paused: false, repeats: -1 })).toBe(5);
  });

  it("with `overlap: skip` passes over the slot while the task before has not finished, and says so (P199)", () => {
    const given = schedule({ type: "MINUTES", overlap: "skip" }, { repeats: 4 });

    const { runs, tasks, progress } = fireSchedule(given, start + 1, true, zone);

    expect(runs).toMatchObject([{ slot: start, task: null, passedOver: "overlap" }]);
    expect([tasks, progress?.repeats, progress?.nextRun]).toEqual([[], 4, start + minute]);
    expect(fired(given, 1).fire).toEqual([0]);
  });

  it("with `overlap: queue` holds the slot until the task before has finished, one of them at most (P199)", () => {
    const given = schedule({ type: "MINUTES", overlap: "queue", catchUp: "all" });

    const { runs, tasks, progress } = fireSchedule(given, start + 2.5 * minute, true, zone);

    expect([runs, tasks, progress?.nextRun]).toEqual([[], [], start]);
    expect(progress?.dueAt).toBeGreaterThan(start + 2.5 * minute);
    expect(fired(given, 2.5 * minute)).toEqual({ fire: [2], next: 3, left: -1 });
  });

  it("makes the same task of the same slot whoever fires it (P217)", () => {
    const given = schedule({ type: "MINUTES" });

    const [first, second] = [1, 900].map((late) => fireSchedule(given, start + late, false, zone).tasks[0]);

    expect(first).toEqual(second);
    expect(first).toMatchObject({
      id: slotTaskId({ schedule: "s1", slot: start }),
      queue: "shop",
      parent: "s1",
      priority: 3,
      group: "reports",
    });
  });

  it("spreads tasks by their jitter, each by a part of its own that never changes", () => {
    const given = schedule({ type: "MINUTES", jitter: "30s", catchUp: "all" });

    const late = fireSchedule(given, start + 50 * minute, false, zone).tasks.map(
      ({ dueAt }, index) => dueAt! - start - index * minute,
    );

    expect(late).toHaveLength(51);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...late)).toBeLessThan(30_000);
    expect(new Set(late).size).toBeGreaterThan(45);
  });

  it("out of turn changes neither the next slot nor the repeats", () => {
    const given = schedule({ type: "DAILY" }, { repeats: 4, runCount: 6 });

    const { progress, runs, tasks } = fireNow(given, start + 5, 77);

    expect(progress).toMatchObject({ nextRun: start, repeats: 4, lastTask: tasks[0]?.id });
    expect(runs).toMatchObject([{ number: 7, slot: start + 5, manual: true }]);
    expect(tasks[0]?.id).not.toBe(slotTaskId({ schedule: "s1", slot: start + 5 }));
  });

  it("passes over the next slot when it is told to", () => {
    const { progress, runs, tasks } = skipSlot(schedule({ type: "MINUTES" }), start - 5, zone)!;

    expect([progress?.nextRun, tasks]).toEqual([start + minute, []]);
    expect(runs).toMatchObject([{ slot: start, passedOver: "skipped" }]);
    expect(skipSlot(schedule({ type: "MINUTES" }, { nextRun: null }), start, zone)).toBeUndefined();
  });

  it("leaves a broken schedule alone for longer each time, and its slot as it is (P218)", () => {
    const error = { name: "E", message: "no such zone", stack: null };
    let given = schedule({ type: "MINUTES" });
    const waits: number[] = [];
    for (let times = 0; times < 8; times++) {
      const { progress } = breakSchedule(given, error, start);
      waits.push((progress!.dueAt! - start) / minute);
      given = { ...given, ...progress! };
    }

    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    expect([given.nextRun, given.fault?.count]).toEqual([start, 8]);
    expect(fireSchedule({ ...given, fault: null }, start, false, zone).progress?.fault).toBeNull();
  });

  it("throws for a rule that it does not understand, which breaks that schedule only (P218)", () => {
    const given = schedule({ type: "MINUTES" });
    const odd = { ...given, rule: JSON.stringify({ ...ruleOf(given), type: "LUNAR" }) };

    expect(() => fireSchedule(odd, start, false, zone)).toThrow('no schedule type "LUNAR"');
    expect(() => fireSchedule({ ...given, target: "{}" }, start, false, zone)).toThrow();
  });
});

describe("the message of a slot", () => {
  const open = (envelope: string, id: string, queue = "shop") =>
    openRequest(keys, { id, queue, envelope }, { maxBytes: 100_000 });

  it("opens to the sealed arguments and options, with the slot beside them (P187, P192)", () => {
    const [task] = fireSchedule(
      schedule({ type: "MINUTES" }, {}, { timeout: 5_000, hook: "jobs.hook" }),
      start,
      false,
      zone,
    ).tasks;

    const { header, args } = open(task!.envelope, task!.id);

    expect(args).toEqual([1, { a: 2 }]);
    expect(header).toMatchObject({
      id: task!.id,
      func: "jobs.report",
      group: "reports",
      timeout: 5_000,
      hook: "jobs.hook",
      due: start,
    });
  });

  it("puts the slot under the name that was asked for (P192)", () => {
    const [task] = fireSchedule(schedule({ type: "MINUTES" }, {}, { intended: "date" }), start, false, zone).tasks;

    expect(open(task!.envelope, task!.id).args).toEqual([1, { a: 2, date: "2026-01-01T12:00:00.000Z" }]);
  });

  it("cannot be changed, moved or copied by who can write to the database", () => {
    const [task] = fireSchedule(schedule({ type: "MINUTES" }), start, false, zone).tasks;
    const { id, envelope } = task!;
    const target = (JSON.parse(envelope.split("\n")[1]!) as { envelope: string }).envelope;
    const forged = envelope.replace('[1,{\\"a\\":2}]', '[9,{\\"a\\":2}]');

    expect(forged).not.toBe(envelope);
    expect(() => open(forged, id)).toThrow(/signature/);
    expect(() => open(envelope, id, "media")).toThrow(/signature/);
    expect(() => open(envelope, "another")).toThrow(/copy/);
    expect(() => open(envelope.replace(`"slot":${start}`, `"slot":${start + 1}`), id)).toThrow(/copy/);
    expect(() => open(target, "s1")).toThrow("sealed as a schedule, which cannot run here");
    expect(() => open('{"v":1,"id":"x","func":"f","kind":"slot"}\nnone\n', "x")).toThrow("no body that can be read");
    expect(() => open('{"v":1,"id":"x","func":"f","kind":"slot"}\n{}\n', "x")).toThrow("does not say which slot");
  });
});
