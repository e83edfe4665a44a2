import { expect, it } from "vitest";
import { alive, until, workshop } from "../support/workshop.js";

const wait = { wait: "40s" } as const;

it.each([
  ["between tasks", []],
  ["in while (true) {}", ["jobs.spin", "endless"]],
])("leaves no worker alive two seconds after its supervisor was killed, %s", async (_, task) => {
  await using shop = await workshop();
  const cluster = await shop.cluster();
  const [name, ...args] = task;
  if (name !== undefined) {
    await shop.q.asyncTask(name, ...args);
    await until(() => shop.trace().length > 0, "the task to start");
  }
  const workers = cluster.workers();
  expect(workers).toHaveLength(2);

  cluster.kill("SIGKILL");

  await until(() => !workers.some(alive), `workers ${workers.join(", ")} to end`, 2_000);
});

it("leaves no worker alive when the lease ends of a supervisor that stands still", async () => {
  await using shop = await workshop({ lease: "3s" });
  const cluster = await shop.cluster();
  await shop.q.asyncTask("jobs.spin", "endless");
  await until(() => shop.trace().length > 0, "the task to start");
  const workers = cluster.workers();

  cluster.kill("SIGSTOP");

  await until(() => !workers.some(alive), `workers ${workers.join(", ")} to end`, 3_000);
});

it("puts every task on record as lost that the last heartbeat named, and runs it again (P305)", async () => {
  await using shop = await workshop({ lease: "1500ms", workers: 4 });
  const first = await shop.cluster();
  const ids = await Promise.all([1, 2, 3].map(async (n) => await shop.q.asyncTask("jobs.traced", `t${n}`, 4_000)));
  await until(async () => (await shop.q.clusters())[0]?.running.length === 3, "a heartbeat that names them");

  first.kill("SIGKILL");
  await first.exited;
  await shop.cluster();

  for (const id of ids) {
    expect(await shop.q.fetch(id, wait)).toMatchObject({ success: true, attempts: 2 });
    expect(await shop.q.attempts(id)).toMatchObject([
      { ending: "lost", counted: true, worker: expect.stringMatching(/:\d+$/) },
      { ending: "succeeded" },
    ]);
  }
});

it("does not let a cluster that slept through its lease overwrite the newer result", async () => {
  await using shop = await workshop({ lease: "1500ms", workers: 1 });
  const sleeper = await shop.cluster();
  const id = await shop.q.asyncTask("jobs.traced", "twice", 1_000);
  await until(() => shop.trace().length === 1, "the task to start");
  const workers = sleeper.workers();
  sleeper.kill("SIGSTOP");
  for (const pid of workers) process.kill(pid, "SIGSTOP");

  await shop.cluster();
  const finished = await shop.q.fetch(id, wait);
  for (const pid of workers) process.kill(pid, "SIGCONT");
  sleeper.kill("SIGCONT");

  expect(finished).toMatchObject({ success: true });
  await sleeper.says(/lease/i);
  expect(await shop.q.fetch(id)).toEqual(finished);
  expect(await shop.q.result(await shop.q.asyncTask("jobs.add", 1, 2), wait)).toBe(3);
});

it("runs a task once that takes longer than its lease (P025)", async () => {
  await using shop = await workshop({ lease: "1s", workers: 1 });
  await shop.cluster();
  await shop.cluster();

  const id = await shop.q.asyncTask("jobs.traced", "long", 4_500);

  expect(await shop.q.fetch(id, wait)).toMatchObject({ success: true, attempts: 1 });
  expect(shop.trace()).toHaveLength(1);
});
