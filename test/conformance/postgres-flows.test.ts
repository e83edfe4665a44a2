import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import type { Backend, Delivery } from "../../src/contracts/index.js";
import { memberId } from "../../src/core/flow.js";
import { flowsOf, newFlow } from "../../src/testing/flow/flows.js";
import { consumer, idOf } from "../../src/testing/messages.js";
import { newTask, succeeded, succeededUnkept } from "../../src/testing/tasks.js";
import { connectTo, emptyPlace, openAt } from "../support/postgres.js";

/** A database of its own, whose statistics tell of nothing else. */
async function ownDatabase(): Promise<{ url: URL; statistics: (sql: string) => Promise<Record<string, unknown>> }> {
  const url = emptyPlace();
  const name = `flows_${randomBytes(6).toString("hex")}`;
  const server = await connectTo(url);
  await server.query(`CREATE DATABASE ${name}`);
  url.pathname = `/${name}`;
  return {
    url,
    statistics: async (sql) => {
      const client = await connectTo(url);
      const { rows } = await client.query<Record<string, unknown>>(sql);
      return rows[0] ?? {};
    },
  };
}

const flowIds = Array.from({ length: 8 }, (_, n) => idOf(`flow ${n}`));

function element(flow: string, place: number) {
  return newTask("element", { id: memberId(flow, place, 0), member: { flow, place, run: 0 } });
}

async function openIters(backend: Backend, size: number): Promise<void> {
  for (const id of flowIds) await flowsOf(backend).open(newFlow("iter", { id }), []);
  for (let place = 0; place < size; place++) await backend.store.submit(flowIds.map((flow) => element(flow, place)));
}

async function openConsumer(backend: Backend) {
  const owner = await consumer(backend.broker);
  const deliveries = await owner.take({ max: 200, waitMs: 0 });
  // Each write is about all flows, in another order.
  const finish = async (some: readonly Delivery[], turn: number): Promise<unknown> =>
    await backend.store.finish(
      owner.id,
      some.map((one) => (turn % 2 === 0 ? succeededUnkept : succeeded)(one)),
    );
  return { deliveries: deliveries.toReversed(), finish };
}

it("lets clusters that finish, submit, cancel and close the same flows wait for each other, and never in a circle (P141)", async () => {
  const { url, statistics } = await ownDatabase();
  const size = 60;
  const lasting = flowIds.filter((_, n) => n !== 3);
  {
    await using one = await openAt(url);
    await using other = await openAt(url);
    await openIters(one, size - 1);
    const owners = [await openConsumer(one), await openConsumer(other)];

    await Promise.all([
      ...owners.flatMap(({ deliveries, finish }) =>
        Array.from({ length: 20 }, (_, turn) => finish(deliveries.slice(turn * 10, turn * 10 + 10), turn)),
      ),
      ...Array.from({ length: 20 }, () => other.store.submit(lasting.map((flow) => element(flow, size - 1)))),
      ...flowIds.toReversed().map((flow) => other.store.cancel(memberId(flow, size - 2, 0))),
      ...flowIds.map((flow) => other.store.flows!.close(flow, size)),
      one.store.cancel(flowIds[3]!),
    ]);

    const flows = await flowsOf(one).find(flowIds);
    const counted = await Promise.all(flowIds.map((id) => flowsOf(one).outcomes(id, 0, 1e9)));
    for (const flow of flows) expect(flow.done).toBe(counted[flowIds.indexOf(flow.id)]?.length);
    expect(flows.find(({ id }) => id === flowIds[3])?.state).toBe("cancelled");
  }
  expect(await statistics("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")).toEqual({
    deadlocks: "0",
  });
});

it("counts what ends without a look at what has ended before (P132)", async () => {
  const { url, statistics } = await ownDatabase();
  const [flow] = flowIds as [string];
  const size = 2_000;
  {
    await using backend = await openAt(url);
    await flowsOf(backend).open(newFlow("iter", { id: flow }), []);
    await backend.store.submit(Array.from({ length: size }, (_, place) => element(flow, place)));
    const owner = await consumer(backend.broker);
    for (let done = 0; done < size; done += 100) {
      const some = await owner.take({ max: 100, waitMs: 0 });
      await backend.store.finish(
        owner.id,
        some.map((one) => succeededUnkept(one)),
      );
    }
    expect((await flowsOf(backend).find([flow]))[0]?.done).toBe(size);
  }
  const read = "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) AS rows FROM pg_stat_user_tables";
  expect(await statistics(`${read} WHERE relname = 'qluster_flow_member'`)).toEqual({ rows: "0" });
});
