import { expect, it } from "vitest";
import { link, previous } from "qluster";
import type { Backend } from "../../src/contracts/backend.js";
import { memberId } from "../../src/core/flow.js";
import { backendOf } from "../support/workshop-store.js";
import { until, workshop } from "../support/workshop.js";

/** Whoever can write to the database ends the first link with the result of another task. */
async function forge({ store, broker }: Backend, other: string): Promise<void> {
  const [record] = await store.get([other]);
  const cluster = { id: "forger", host: "h", pid: 1 };
  const owner = await broker.consume({ queues: ["test"], leaseMs: 10_000, cluster });
  const [first] = await owner.take({ max: 1, waitMs: 10_000 });
  expect(record?.result).toBeTypeOf("string");
  const outcome = { to: "succeeded", result: record?.result ?? "", keep: true } as const;
  const { id, receipt } = first!;
  expect(await store.finish(owner.id, [{ id, receipt, attempt: null, outcome, followUps: [] }])).toEqual([true]);
  await owner.close();
}

it("a link refuses a result that its worker did not seal for it, and calls no function with it (P151)", async () => {
  await using shop = await workshop({ attempts: 1 });
  const other = await shop.q.asyncTask("jobs.add", 40, 2);
  const cluster = await shop.cluster();
  expect(await shop.q.result(other, { wait: "20s" })).toBe(42);
  cluster.kill("SIGTERM");
  await cluster.exited;
  const chain = await shop.q.asyncChain([link("jobs.add", 1, 2), link("jobs.traced", previous())]);
  const backend = await backendOf(shop);
  await forge(backend, other);
  await shop.cluster();

  await until(async () => (await shop.q.flow(chain))?.state !== "open", "the chain to end");

  const [second] = await backend.store.get([memberId(chain, 1, 0)]);
  expect(second?.error).toMatchObject({ name: "EnvelopeError", dead: "signature" });
  expect(shop.trace().filter((line) => line.startsWith("start"))).toEqual([]);
});
