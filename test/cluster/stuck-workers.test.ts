import { registerCodec } from "qluster";
import { expect, it } from "vitest";
import { holdLock } from "../support/hold-lock.js";
import { ownDatabase } from "../support/server.js";
import { until, workshop } from "../support/workshop.js";

const wait = { wait: "60s" } as const;

const traps = `
import { registerCodec } from "qluster";
export class Trap {}
registerCodec("trap", { type: Trap, encode: () => 1, decode: () => process.exit(9) });
export async function sprung() {}
export async function leavesLoop(label) { started(label); setTimeout(() => { trace("looping"); while (true) {} }, 50); return "fine"; }
export function mixed(label, ms) { started(label); return new Promise((resolve) => setTimeout(resolve, ms, label)); }
`;

it("gives back what it could not give back while the store was away", async () => {
  await using shop = await workshop({ ...(await ownDatabase()), workers: 1, lease: "60s" });
  await shop.cluster();
  const ids = await Promise.all(Array.from({ length: 6 }, (_, n) => shop.q.asyncTask("jobs.traced", `t${n}`, 1_000)));
  await until(() => shop.trace().length === 1, "the first task to start");

  const { released } = await holdLock(shop, 3_000);
  await released;

  for (const id of ids) expect(await shop.q.fetch(id, wait)).toMatchObject({ success: true, attempts: 1 });
  expect(shop.trace()).toHaveLength(6);
});

it("replaces a worker whose loop was blocked by something that an ended task left behind", async () => {
  await using shop = await workshop({ workers: 1 }, traps);
  await shop.cluster();

  expect(await shop.q.result(await shop.q.asyncTask("jobs.leavesLoop", "culprit"), wait)).toBe("fine");
  await until(() => shop.trace().includes("looping"), "the loop to be blocked");
  const next = await shop.q.asyncTask("jobs.traced", "innocent", 300);

  expect(await shop.q.fetch(next, wait)).toMatchObject({ success: true });
});

it("sets aside as poison a message that ends its worker before its task starts, and goes on with others", async () => {
  class Trap {
    readonly set = true;
  }
  registerCodec("trap", { type: Trap, encode: () => 1, decode: () => new Trap() });
  await using shop = await workshop({ workers: 1, maxDeliveries: 5 }, traps);
  await shop.cluster();

  const poison = await shop.q.asyncTask("jobs.sprung", new Trap());
  const other = await shop.q.asyncTask("jobs.add", 1, 2);

  expect(await shop.q.result(other, wait)).toBe(3);
  await until(async () => (await shop.q.status(poison))?.state === "failed", "the poison to be set aside");
  expect(await shop.q.fetch(poison)).toMatchObject({ success: false, error: { name: "PoisonError" } });
});

it("kills no worker for a task that was cancelled before it started", async () => {
  await using shop = await workshop({ workers: 1 });
  const cluster = await shop.cluster();
  // Quick until now, so that more of them are handed to the worker ahead of time.
  for (let n = 0; n < 5; n += 1) await shop.q.result(await shop.q.asyncTask("jobs.busy", `quick${n}`, 0), wait);
  const [worker] = cluster.workers();
  const long = await shop.q.asyncTask("jobs.busy", "long", 3_000);
  await until(() => shop.trace().some((line) => line.includes("long")), "the long task to start");
  const behind = await shop.q.asyncTask("jobs.busy", "behind", 0);

  expect(["cancelled", "requested"]).toContain(await shop.q.cancel(behind));

  expect(await shop.q.fetch(long, wait)).toMatchObject({ success: true, attempts: 1 });
  await until(async () => (await shop.q.status(behind))?.state === "cancelled", "the cancelled task to end");
  expect(cluster.workers()).toEqual([worker]);
});

it("leaves no quick task waiting behind a slow one while another cluster is idle (P004)", async () => {
  await using shop = await workshop({ workers: 1 }, traps);
  await shop.cluster();
  for (let n = 0; n < 10; n += 1) await shop.q.result(await shop.q.asyncTask("jobs.mixed", `quick${n}`, 0), wait);
  const ids = [await shop.q.asyncTask("jobs.mixed", "slow", 8_000)];
  for (let n = 0; n < 6; n += 1) ids.push(await shop.q.asyncTask("jobs.mixed", `next${n}`, 0));

  await shop.cluster();
  const started = performance.now();
  for (const id of ids.slice(1)) expect(await shop.q.result(id, wait)).toMatch(/^next/);

  expect(performance.now() - started).toBeLessThan(4_000);
});
