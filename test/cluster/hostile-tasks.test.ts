import { describe, expect, it } from "vitest";
import { alive, until, workshop } from "../support/workshop.js";

const limit = { wait: "40s" } as const;

describe.each([
  ["process", 1],
  ["process", 4],
  ["thread", 1],
] as const)("tasks that misbehave, in a %s with %i at once", (isolation, concurrency) => {
  it.each([
    ["while (true) {}", "spin", [], /exceeded maximum timeout value \(1 seconds\)/, "timeout"],
    ["swallowing its abort signal", "swallows", [], /exceeded maximum timeout value \(1 seconds\)/, "timeout"],
    ["process.exit(7)", "exits", [7], /died: exit code 7/, "died"],
    ["an unhandled rejection", "rejects", [], /stray/, "error"],
  ])(
    "by %s are one failed attempt with its reason (P033, P287, P305, P306)",
    async (_, name, args, message, ending) => {
      await using shop = await workshop({ isolation, concurrency, workers: 1, timeout: "1s", attempts: 1 });
      await shop.cluster();

      const id = await shop.q.asyncTask(`jobs.${name}`, "guilty", ...args);
      const finished = await shop.q.fetch(id, limit);

      expect(finished).toMatchObject({
        success: false,
        attempts: 1,
        error: { message: expect.stringMatching(message) },
      });
      const counted = (await shop.q.attempts(id)).filter((attempt) => attempt.counted);
      expect(counted).toMatchObject([{ number: expect.any(Number), ending }]);
      expect(await shop.q.result(await shop.q.asyncTask("jobs.add", 1, 2), limit)).toBe(3);
    },
  );
});

it("charges no neighbour for a task that blocks or kills their worker, and says why each one is replaced (P309)", async () => {
  await using shop = await workshop({ concurrency: 4, workers: 1, timeout: "2s", attempts: 1 });
  const cluster = await shop.cluster();

  const innocent = await Promise.all([1, 2, 3].map(async (n) => await shop.q.asyncTask("jobs.traced", `n${n}`, 900)));
  const guilty = [await shop.q.asyncTask("jobs.exits", "exit", 1), await shop.q.asyncTask("jobs.spin", "spin")];

  for (const id of innocent) expect(await shop.q.fetch(id, limit)).toMatchObject({ success: true, attempts: 1 });
  for (const id of guilty) expect(await shop.q.fetch(id, limit)).toMatchObject({ success: false, attempts: 1 });
  expect((await cluster.says(/^reincarnated worker Process-\d+ after sudden death.*\(exit code 1\)$/)).level).toBe(50);
  await cluster.says(/^reincarnated worker Process-\d+ after timeout while processing [a-z-]+$/);
  const replaced = async () => ((await shop.q.clusters())[0]?.reincarnations ?? 0) >= 2;
  await until(replaced, "a status that counts both");
});

it("lets neighbours finish beside a task that does not give in, then ends their worker (P304, P318)", async () => {
  await using shop = await workshop({ concurrency: 2, workers: 1, attempts: 1 });
  await shop.cluster();
  const { asyncTask, fetch } = shop.q;

  const { ref } = await import("qluster");
  const stubborn = await asyncTask(ref("jobs.swallows", { timeout: "500ms" }), "stubborn");
  const neighbour = await asyncTask("jobs.traced", "neighbour", 2_500);

  expect(await fetch(neighbour, limit)).toMatchObject({ success: true, attempts: 1 });
  expect(await fetch(stubborn, limit)).toMatchObject({ success: false, error: { name: "TaskTimeoutError" } });
  expect(shop.trace().filter((line) => line.includes("neighbour"))).toHaveLength(1);
});

it("runs out of memory as one failed attempt, and the cluster goes on", async () => {
  await using shop = await workshop({ workers: 1, attempts: 1 });
  const before = process.env["NODE_OPTIONS"];
  process.env["NODE_OPTIONS"] = "--max-old-space-size=64";
  await shop.cluster();
  process.env["NODE_OPTIONS"] = before ?? "";

  const id = await shop.q.asyncTask("jobs.eats", "hungry");

  expect(await shop.q.fetch(id, limit)).toMatchObject({
    success: false,
    error: { message: expect.stringContaining("out of memory") },
  });
  expect(await shop.q.result(await shop.q.asyncTask("jobs.add", 1, 2), limit)).toBe(3);
});

it("logs a rejection that comes after the task's end on its record, and changes nothing", async () => {
  await using shop = await workshop({ workers: 1 });
  await shop.cluster();

  const id = await shop.q.asyncTask("jobs.rejectsLater", "late");

  expect(await shop.q.result(id, limit)).toBe("fine");
  await until(
    async () => (await shop.q.status(id))?.notes.log.some(({ text }) => /After the end.*late/.test(text)),
    "the note",
  );
  expect(await shop.q.status(id)).toMatchObject({ state: "succeeded", attempts: 1 });
});

it("ends what a task has started, together with its worker (P018)", async () => {
  await using shop = await workshop({ workers: 1, timeout: "500ms", attempts: 1 });
  await shop.cluster();

  const id = await shop.q.asyncTask("jobs.spawns", "parent");
  await shop.q.fetch(id, limit);

  const child = Number(
    shop
      .trace()
      .find((line) => line.startsWith("child"))!
      .split(" ")[1],
  );
  await until(() => !alive(child), `process ${child} to end`);
});
