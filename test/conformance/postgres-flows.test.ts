import { randomBytes } from "node:crypto";
import { Pool } from "pg";
import { expect, it } from "vitest";
import type { Backend, Delivery } from "../../src/contracts/index.js";
import { memberId } from "../../src/core/flow.js";
import { flowsOf, newFlow, openChain, resultOf, theFlow } from "../../src/testing/flow/flows.js";
import { consumer, idOf } from "../../src/testing/messages.js";
import { newTask, succeeded, succeededUnkept } from "../../src/testing/tasks.js";
import { connectTo, emptyPlace, openAt, schemaOf } from "../support/postgres.js";

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
  const id = memberId(flow, place, 0);
  // As the header of a sealed one says it.
  const envelope = `${JSON.stringify({ v: 1, id, func: "element", member: true })}\n[]\nsignature`;
  return newTask("element", { id, envelope, member: { flow, place, run: 0 } });
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

/** What a pool sends from now on, by the names of the statements. */
function recorded(pool: Pool): string[] {
  const sent: string[] = [];
  pool.on("connect", (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const noting = (first: unknown, ...rest: unknown[]): unknown => {
      const { name, text } =
        typeof first === "string" ? { name: undefined, text: first } : (first as { name?: string; text: string });
      sent.push(name?.split(".").at(-1) ?? text);
      return query(first, ...rest);
    };
    Object.assign(client, { query: noting });
  });
  return sent;
}

it("ends a link and queues the next one in one statement, in the cluster that has queued it (P130)", async () => {
  const url = emptyPlace();
  const plain = new URL(url);
  plain.search = "";
  const pool = new Pool({ connectionString: plain.href, max: 4 });
  const sent = recorded(pool);
  {
    await using backend = await openAt(url, { client: pool, location: `?schema=${schemaOf(url)}` });
    await openChain(backend, [1, 1, 1, 1, 1]);
    const owner = await consumer(backend.broker);

    const perLink: string[][] = [];
    for (let link = 0; link < 5; link++) {
      const [delivery] = await owner.take({ max: 1, waitMs: 0 });
      sent.length = 0;
      await backend.store.finish(owner.id, [resultOf(delivery!)]);
      perLink.push([...sent]);
    }

    const once = ["finish-members"];
    expect(perLink.slice(0, 4)).toEqual([[...once, ...once], once, once, once]);
    expect((await theFlow(backend)).state).toBe("succeeded");
  }
  await pool.end();
});

it("finds out when a chain stands elsewhere than was foreseen, and queues no link twice (P130)", async () => {
  const url = emptyPlace();
  await using one = await openAt(url);
  await using other = await openAt(url);
  await openChain(one, [1, 1, 1, 1]);
  const owners = [
    { backend: one, owner: await consumer(one.broker) },
    { backend: other, owner: await consumer(other.broker) },
  ];

  const ran: string[] = [];
  // Each link in the other cluster than the one before, and its end is stored twice.
  for (let link = 0; link < 4; link++) {
    const { backend, owner } = owners[link % 2]!;
    const taken = await owner.take({ max: 10, waitMs: 0 });
    ran.push(...taken.map(({ id }) => id));
    const ends = taken.map((delivery) => resultOf(delivery));
    await backend.store.finish(owner.id, ends);
    expect(await backend.store.finish(owner.id, ends)).toEqual([false]);
  }

  expect(ran).toHaveLength(4);
  expect(new Set(ran).size).toBe(4);
  expect(await theFlow(one)).toMatchObject({ state: "succeeded", done: 4, failed: 0 });
});
