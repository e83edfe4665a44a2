import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { link, ref } from "qluster";
import { until, workshop } from "../support/workshop.js";
import type { Workshop } from "../support/workshop.js";

const limit = { wait: "30s" } as const;

async function started(shop: Workshop, label: string): Promise<number> {
  const line = (): string | undefined => shop.trace().find((text) => text.startsWith(`start ${label} `));
  await until(line, `${label} to start`);
  return Number(line()!.split(" ")[3]);
}

describe("cancel", () => {
  const tasks = `
    /** Quick at first, so that the cluster expects it to be quick; then it blocks its worker. */
    export function turnsSlow(label, ms) { started(label); const end = Date.now() + ms; while (Date.now() < end) {} return label; }
    export async function cleansUp(label) {
      started(label);
      await sleep(600_000, undefined, { signal: currentTask().signal }).catch(() => {});
      trace("cleaned " + label + " " + currentTask().signal.reason.reason);
    }
  `;
  let shop: Workshop;
  beforeAll(async () => {
    shop = await workshop({ workers: 1, killAfter: "400ms", attempts: 3 }, tasks);
    await shop.cluster();
  });
  afterAll(() => shop[Symbol.asyncDispose]());

  it("takes a waiting task out of the queue; it never runs (P098)", async () => {
    const id = await shop.q.asyncTask(ref("jobs.traced", { delay: "1h" }), "waiting");

    expect(await shop.q.cancel(id)).toBe("cancelled");

    expect(await shop.q.fetch(id)).toMatchObject({ success: false, attempts: 0, error: { name: "CancelledError" } });
    expect(await shop.q.status(id)).toMatchObject({ state: "cancelled" });
    expect(await shop.q.attempts(id)).toEqual([]);
    expect(await shop.q.cancel(id)).toBe("finished");
  });

  it("asks a running task to stop; its end is on record as cancelled, and is final (P098)", async () => {
    const id = await shop.q.asyncTask("jobs.obeys", "obedient");
    const pid = await started(shop, "obedient");

    expect(await shop.q.cancel(id)).toBe("requested");
    const finished = await shop.q.fetch(id, limit);

    expect(finished).toMatchObject({
      success: false,
      error: { name: "TaskAbortedError", message: "The task was cancelled." },
    });
    expect(await shop.q.status(id)).toMatchObject({ state: "cancelled", attempts: 0 });
    expect(await shop.q.attempts(id)).toMatchObject([{ ending: "cancelled", counted: false }]);
    await shop.q.result(await shop.q.asyncTask("jobs.traced", "same"), limit);
    expect(await started(shop, "same")).toBe(pid);
  });

  it("tells the task why, through its signal (P098)", async () => {
    const id = await shop.q.asyncTask("jobs.cleansUp", "tidy");
    await started(shop, "tidy");

    await shop.q.cancel(id);
    await until(() => shop.trace().includes("cleaned tidy cancelled"), "the reason");

    expect(await shop.q.fetch(id, limit)).toMatchObject({ success: true });
  });

  it.each(["swallows", "spin"])("ends the worker of a task that does not give in: %s (P098)", async (name) => {
    const label = `stubborn-${name}`;
    const id = await shop.q.asyncTask(`jobs.${name}`, label);
    await started(shop, label);
    const asked = performance.now();

    expect(await shop.q.cancel(id)).toBe("requested");
    const finished = await shop.q.fetch(id, limit);

    expect(performance.now() - asked).toBeGreaterThanOrEqual(400);
    expect(finished).toMatchObject({ success: false, error: { name: "TaskAbortedError" } });
    expect(await shop.q.status(id)).toMatchObject({ state: "cancelled" });
    expect(await shop.q.attempts(id)).toMatchObject([{ ending: "cancelled", counted: false }]);
    expect(await shop.q.result(await shop.q.asyncTask("jobs.add", 1, 2), limit)).toBe(3);
  });

  it("is too late for a finished task, and knows no unknown one", async () => {
    const id = await shop.q.asyncTask("jobs.add", 1, 2);
    await shop.q.result(id, limit);

    expect(await shop.q.cancel(id)).toBe("finished");
    expect(await shop.q.cancel("0".repeat(32))).toBe("unknown");
    expect(await shop.q.result(id)).toBe(3);
  });

  it("of what waits in the memory of a worker that is blocked costs the running task nothing (P098)", async () => {
    for (let n = 0; n < 5; n += 1) await shop.q.result(await shop.q.asyncTask("jobs.turnsSlow", `quick${n}`, 1), limit);
    const [slow, ...behind] = await shop.q.asyncTasks([
      link("jobs.turnsSlow", "slow", 2_500),
      ...[1, 2, 3].map((n) => link("jobs.turnsSlow", `behind${n}`, 1)),
    ]);
    await started(shop, "slow");

    const answers = await Promise.all(behind.map((id) => shop.q.cancel(id)));

    // Given back to the queue meanwhile, or still in hand: either way none of them runs.
    for (const answer of answers) expect(["requested", "cancelled"]).toContain(answer);
    expect(await shop.q.fetch(slow!, limit)).toMatchObject({ success: true, result: "slow", attempts: 1 });
    for (const id of behind) expect(await shop.q.fetch(id, limit)).toMatchObject({ success: false, attempts: 0 });
    for (const id of behind) expect(await shop.q.status(id)).toMatchObject({ state: "cancelled" });
    expect(shop.trace().some((line) => line.includes("behind"))).toBe(false);
  });

  it("reaches tasks in the memory of a busy cluster, and every one keeps its answer (P098)", async () => {
    const ids = await shop.q.asyncTasks(Array.from({ length: 60 }, (_, n) => link("jobs.busy", `crowd${n}`, 10)));
    await started(shop, "crowd3");

    const answers = await Promise.all(ids.map(async (id) => await shop.q.cancel(id)));

    for (const [index, id] of ids.entries()) {
      const finished = await shop.q.fetch(id, limit);
      const state = (await shop.q.status(id))!.state;
      if (answers[index] === "cancelled") expect(state).toBe("cancelled");
      if (answers[index] === "finished") expect(finished?.success).toBe(true);
      if (state === "cancelled") expect(finished).toMatchObject({ success: false });
    }
    expect(answers).toContain("cancelled");
  });
});

describe("a running task", () => {
  it("is seen with its progress and its log, while it runs and afterwards (P099, P100)", async () => {
    const tasks = `
      import { existsSync } from "node:fs";
      export async function inSteps() {
        const task = currentTask();
        task.progress(1, 3, "first");
        task.log("one");
        while (!existsSync(new URL("./go", import.meta.url))) await sleep(20);
        task.progress(3, 3);
        task.log("two");
        return task.attempt;
      }
    `;
    await using shop = await workshop({ workers: 1 }, tasks);
    await shop.cluster();
    const id = await shop.q.asyncTask("jobs.inSteps");
    await until(async () => (await shop.q.status(id))?.notes.log.length === 1, "the first line");

    const during = await shop.q.status(id);
    writeFileSync(`${shop.folder}/go`, "");
    const finished = await shop.q.fetch(id, limit);
    await until(async () => (await shop.q.status(id))?.notes.log.length === 2, "the second line");
    const after = await shop.q.status(id);

    expect(during).toMatchObject({
      state: "running",
      notes: { progress: { done: 1, total: 3, note: "first" }, log: [{ text: "one" }] },
    });
    expect(finished).toMatchObject({ success: true, result: 1 });
    expect(after).toMatchObject({
      state: "succeeded",
      notes: { progress: { done: 3, total: 3, note: null }, log: [{ text: "one" }, { text: "two" }] },
    });
  });
});
