import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.js";
import { eachQueue, testConfig } from "../../test/support/each-queue.js";
import { testKeys } from "../../test/support/run-queued.js";
import type { Backend } from "../contracts/backend.js";
import { openRequest } from "../core/open-request.js";
import { fireNow, ruleOf, targetOf } from "../core/schedule/fire.js";
import { OptionError } from "../errors.js";
import type { ScheduleChanges } from "./schedule-types.js";
import { task } from "./task.js";
import type { Qluster } from "./types.js";

const config = { ...testConfig, timeZone: "Asia/Kolkata" } as const;

const report = task("clear.report", (..._args: unknown[]) => "sent");
const hook = task("clear.hook", () => undefined);
const dayMs = 24 * 3_600_000;
const soon = (days: number): Date => new Date(Date.now() + days * dayMs);

/** Everything that can be said of a schedule, and cleared. */
const full = {
  type: "DAILY",
  at: "03:00",
  name: "report",
  timeZone: "Europe/Moscow",
  until: new Date("2099-01-01T00:00Z"),
  jitter: "5s",
  catchUp: "all",
  catchUpLimit: 7,
  overlap: "queue",
  repeats: 9,
  cluster: "reports",
  group: "g",
  hook,
  hookOn: "attempt",
  taskName: "daily report",
  delay: "1m",
  expires: "1h",
  attempts: 5,
  backoff: { base: "9s" },
  priority: 3,
  unique: "u",
  save: false,
  timeout: "20s",
  args: [1],
  kwargs: { dry: true },
  intendedDateKwarg: "date",
} as const;

describe.each(backends.slice(0, 2))("clearing options of a schedule, on %s", (_, open) => {
  let backend: Backend;
  let q: Qluster;
  eachQueue(open, (fresh) => ({ q, backend } = fresh), config);

  /** What the store has of a schedule, and what its next task would be given. */
  async function stored(id: string) {
    const schedule = (await backend.store.schedules.find(id))!;
    const [sent] = fireNow(schedule, 1_900_000_000_000, 1).tasks;
    const { header, args } = openRequest(testKeys, sent!, { maxBytes: 1e6 });
    return { schedule, rule: ruleOf(schedule), target: targetOf(schedule), header, args };
  }

  type Stored = Awaited<ReturnType<typeof stored>>;

  it.each<[keyof ScheduleChanges, (after: Stored) => unknown, unknown]>([
    ["until", ({ rule }) => rule.until, undefined],
    ["jitter", ({ rule }) => rule.jitterMs, undefined],
    ["catchUp", ({ rule }) => rule.catchUp, "latest"],
    ["catchUpLimit", ({ rule }) => rule.catchUpLimit, 1_000],
    ["overlap", ({ rule }) => rule.overlap, "allow"],
    ["timeZone", ({ rule }) => rule.timeZone, "Asia/Kolkata"],
    ["repeats", ({ schedule }) => schedule.repeats, -1],
    ["name", ({ schedule }) => schedule.name, null],
    ["cluster", ({ schedule, target }) => [schedule.cluster, target.queue], [null, "test"]],
    ["group", ({ header }) => header.group, "report"],
    ["hook", ({ header }) => header.hook, undefined],
    ["hookOn", ({ header }) => header.hookOn, undefined],
    ["taskName", ({ header, target }) => [header.name, target.name], [undefined, null]],
    ["delay", ({ target }) => target.delayMs, 0],
    ["expires", ({ target }) => target.expiresMs, null],
    ["attempts", ({ header }) => header.attempts, undefined],
    ["backoff", ({ header }) => header.backoff, undefined],
    ["priority", ({ header, target }) => [header.priority, target.priority], [undefined, 0]],
    ["unique", ({ target }) => target.unique, null],
    ["save", ({ header }) => header.save, undefined],
    ["args", ({ args }) => args, [{ date: expect.any(String) as string }]],
    ["kwargs", ({ args }) => args, [1, { date: expect.any(String) as string }]],
    ["intendedDateKwarg", ({ args }) => args, [1, { dry: true }]],
    ["timeout", ({ header }) => header.timeout, null],
  ])("null clears %s, and nothing else (P189, P195)", async (option, read, expected) => {
    const { id } = await q.schedule(report, full);
    const before = await stored(id);
    expect(read(before)).not.toEqual(expected);

    await q.schedules.update(id, { [option]: undefined });
    expect(read(await stored(id))).toEqual(read(before));
    await q.schedules.update(id, { [option]: null });

    const after = await stored(id);
    expect(read(after)).toEqual(expected);
    const same = Object.entries(before.rule).filter(([key]) => key !== option && key !== `${option}Ms`);
    expect(after.rule).toMatchObject(Object.fromEntries(same));
  });

  it("null for the queue sends its tasks to the cluster, else to the project's default one", async () => {
    const { id } = await q.schedule(report, { every: "1h", queue: "media" });

    expect((await q.schedules.update(id, { queue: null })).queue).toBe("test");
    expect((await q.schedules.update(id, { cluster: "reports" })).queue).toBe("reports");
    expect((await q.schedules.update(id, { cluster: null, queue: "media" })).queue).toBe("media");
  });

  it("null for minutes makes it every minute", async () => {
    const { id } = await q.schedule(report, { type: "MINUTES", minutes: 5 });

    expect((await q.schedules.update(id, { minutes: null })).minutes).toBe(1);
  });

  it("puts other kwargs in the place of those before, and keeps the arguments before them (P189)", async () => {
    const { id } = await q.schedule(report, { every: "1h", args: [1, 2], kwargs: { dry: true } });

    expect((await q.schedules.update(id, { kwargs: { wet: true } })).args).toEqual([1, 2, { wet: true }]);
    expect((await q.schedules.update(id, { args: [3] })).args).toEqual([3]);
    expect((await q.schedules.update(id, { kwargs: { wet: true } })).args).toEqual([3, { wet: true }]);
  });

  it("lets one go on that was over, when its end is taken away or put off (P195, P197)", async () => {
    const { id } = await q.schedule(report, { every: "1h", until: soon(1 / 48) });
    const skipped = await q.schedules.skipNext(id);
    expect(skipped.nextRun).toBeUndefined();

    const put = await q.schedules.update(id, { until: soon(1) });
    expect(put.nextRun!.getTime()).toBeGreaterThan(Date.now());
    const free = await q.schedules.update(id, { until: null });

    expect([free.until, free.nextRun]).toEqual([undefined, put.nextRun]);
  });

  it.each(["type", "cron", "every", "at", "nextRun"])(
    "refuses null for %s, which has nothing to fall back to",
    async (option) => {
      const { id } = await q.schedule(report, { ...full });

      const cleared = q.schedules.update(id, { [option]: null } as never);

      await expect(cleared).rejects.toThrow(OptionError);
      await expect(cleared).rejects.toThrow(`"${option}" of a schedule cannot be cleared`);
    },
  );
});
