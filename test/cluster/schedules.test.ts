import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { scheduled } from "qluster";
import type { ScheduleRun } from "qluster";
import { until, workshop, type Workshop } from "../support/workshop.js";

const tasks = `
export async function slotOf(...args) {
  const { id, name, group, scheduledFor } = currentTask();
  trace(["slot", group, id, scheduledFor.toISOString(), Date.now() - scheduledFor.getTime(), JSON.stringify(args)].join(" "));
  return scheduledFor;
}
export async function clearSessions() {
  const { execFile } = await import("node:child_process");
  const { promisify } = await import("node:util");
  return (await promisify(execFile)(process.execPath, ["--eval", "console.log('cleared')"])).stdout.trim();
}
`;

const soon = (ms: number): Date => new Date(Date.now() + ms);

async function finished(shop: Workshop, name: string, count = 1): Promise<ScheduleRun[]> {
  const done = async (): Promise<ScheduleRun[]> =>
    (await shop.q.schedules.runs(name, { limit: 1_000 })).filter(
      ({ state }) => state === "succeeded" || state === "failed",
    );
  await until(async () => (await done()).length >= count, `${count} finished runs of ${name}`);
  return await done();
}

describe("a schedule in a running cluster", () => {
  it("makes a task at its time, which knows its slot, and its hook is told (P177, P188, P192, P202, P215, P219)", async () => {
    await using shop = await workshop({}, tasks);
    const cluster = await shop.cluster();
    const nextRun = soon(1_500);
    await shop.q.schedule("jobs.slotOf", {
      nextRun,
      repeats: 1,
      name: "reminder",
      args: ["Ada"],
      intendedDateKwarg: "date",
      hook: "jobs.hook",
    });

    const [run] = await finished(shop, "reminder");

    const result = await shop.q.result(run!.taskId!);
    expect([run!.slot, result]).toEqual([nextRun, nextRun]);
    expect(run!.at.getTime() - nextRun.getTime()).toBeLessThan(1_000);
    await until(() => shop.trace().some((line) => line.startsWith("hook")), "the hook");
    const [slot, hook] = shop.trace();
    expect(slot).toMatch(
      new RegExp(
        `^slot reminder ${run!.taskId} ${nextRun.toISOString()} \\d+ \\["Ada",\\{"date":"${nextRun.toISOString()}"\\}\\]$`,
      ),
    );
    expect(hook).toContain(`hook ${run!.taskId} true`);
    await cluster.says(/^Scheduler created task .+ from schedule \[reminder\]$/);
    const schedule = (await shop.q.schedules.get("reminder"))!;
    expect([schedule.repeats, schedule.nextRun, await schedule.success()]).toEqual([0, undefined, true]);
  });

  it("is removed after its run when it is ONCE and has no repeats; its task stays (P209)", async () => {
    await using shop = await workshop({}, tasks);
    const { id } = await shop.q.schedule("jobs.slotOf", { name: "once" });
    await shop.cluster();

    await until(async () => (await shop.q.schedules.get(id)) === undefined, "the schedule to go");

    await until(() => shop.trace().length === 1, "its task to run");
    expect(shop.trace()[0]).toContain("slot once");
  });

  it("fires nothing in a cluster with `scheduler: false`, or started with --no-schedule (P050, P220)", async () => {
    await using shop = await workshop({}, tasks);
    await shop.q.schedule("jobs.slotOf", { type: "DAILY", name: "report" });
    await shop.cluster({ config: { scheduler: false } });
    await shop.cluster({ args: ["--no-schedule"] });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await shop.q.schedules.runs("report")).toEqual([]);

    await shop.cluster();

    expect(await finished(shop, "report")).toHaveLength(1);
  });

  it("runs every second on the second, and its runs outlive the records of its tasks (P197, P222)", async () => {
    await using shop = await workshop({ save: false }, tasks);
    await shop.cluster();
    await shop.q.schedule("jobs.slotOf", { every: "1s", nextRun: soon(1_000), until: soon(5_000), name: "tick" });

    const runs = await finished(shop, "tick", 4);

    expect(runs.every(({ state, at, slot }) => state === "succeeded" && at.getTime() - slot.getTime() < 1_000)).toBe(
      true,
    );
    expect(await shop.q.status(runs[0]!.taskId!)).toBeUndefined();
  });

  it("can be a command of a framework: a task that calls it (P203)", async () => {
    await using shop = await workshop({}, tasks);
    await shop.cluster();
    await shop.q.schedules.sync([scheduled("jobs.clearSessions", { type: "HOURLY", name: "clear sessions" })]);

    const [run] = await finished(shop, "clear sessions");

    expect(await shop.q.result(run!.taskId!)).toBe("cleared");
  });

  it("passes over slots while its task runs, when they must not overlap (P199)", async () => {
    await using shop = await workshop({}, tasks);
    await shop.cluster();
    await shop.q.schedule("jobs.traced", { every: "1s", overlap: "skip", name: "slow", args: ["slow", 2_500] });

    await finished(shop, "slow", 2);

    const runs = await shop.q.schedules.runs("slow", { limit: 100 });
    expect(runs.filter(({ state }) => state === "overlap").length).toBeGreaterThanOrEqual(2);
    const starts = shop.trace().map((line) => Number(line.split(" ")[4]));
    expect(starts[1]! - starts[0]!).toBeGreaterThanOrEqual(2_500);
  });
});

it("does what the README shows", async () => {
  await using shop = await workshop();
  const readme = readFileSync("README.md", "utf8");
  const code = /```js\n(\/\/ schedules\.mjs\n[\s\S]*?)```/.exec(readme)?.[1] ?? "";
  writeFileSync(join(shop.folder, "schedules.mjs"), code);

  const { stdout } = await promisify(execFile)(process.execPath, ["schedules.mjs"], { cwd: shop.folder });

  expect(stdout.split("\n").slice(0, 3)).toEqual([
    "Every day at 03:00 (Europe/Moscow).",
    "[ 'cleanup' ] [] [] []",
    expect.stringContaining("2026-03-29T01:30:00.000Z 02:30 does not exist on this day"),
  ]);
});
