import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { composeBackend, outboxFor } from "../../src/backends/apart/index.js";
import { openBackend } from "../../src/backends/redis/index.js";
import { projectPrefix } from "../../src/backends/redis/key-layout.js";
import type { Backend, BackendOptions } from "../../src/contracts/backend.js";
import type { Broker, Consumer, Delivery } from "../../src/contracts/broker.js";
import { StoreUnavailableError } from "../../src/errors.js";
import { manualClock, type TestClock } from "../../src/testing/index.js";
import { consumer, names } from "../../src/testing/messages.js";
import { newTask, succeeded } from "../../src/testing/tasks.js";
import { startRedis, type RedisServer } from "../support/redis.js";

const leaseMs = 1_000;
const apart = ["a", "b"];
const queues = [...apart, "plain"];
const inTime = { max: 10, waitMs: 10_000 };

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
}, 60_000);
afterAll(() => server.stop());

interface Project {
  readonly backend: Backend;
  readonly clock: TestClock;
  /** Whether the node of queue "a" is away. */
  isAway: boolean;
}

async function open(project: string): Promise<Project> {
  const clock = manualClock();
  const state = { isAway: false, clock };
  const part = (own: Partial<BackendOptions>): Promise<Backend> => {
    const numbers = { durability: "process", blockMs: 50, retryMs: 1_000, migrate: true } as const;
    return openBackend({ ...numbers, ...own, project, location: server.url }, clock);
  };
  const first = await part({ slotOf: "a" });
  const slots = new Map([
    ["a", { ...first, broker: failing(first.broker, () => state.isAway) }],
    ["b", await part({ slotOf: "b" })],
  ]);
  const outbox = outboxFor(first, leaseMs, apart);
  const pace = { lookMs: 0, missingMs: 0, pollMs: 20 };
  const backend = composeBackend({ store: await part({ outbox }), apart: slots, outbox, pace });
  onTestFinished(() => backend[Symbol.asyncDispose]());
  return Object.assign(state, { backend });
}

/** A broker that answers nothing but outages while `isAway`. */
function failing(broker: Broker, isAway: () => boolean): Broker {
  const check = (): void => {
    if (isAway()) throw new StoreUnavailableError("The node is away.");
  };
  return {
    ...broker,
    async enqueue(...given) {
      check();
      await broker.enqueue(...given);
    },
    async consume(options) {
      check();
      const own = await broker.consume(options);
      const through = <A extends unknown[], R>(call: (...given: A) => Promise<R>) => {
        return async (...given: A): Promise<R> => {
          check();
          return await call.apply(own, given);
        };
      };
      return {
        id: own.id,
        take: through((how) => own.take(how)),
        acknowledge: through((receipts) => own.acknowledge(receipts)),
        release: through((receipts, how) => own.release(receipts, how)),
        renew: through((running) => own.renew(running)),
        close: through(() => own.close()),
      };
    },
  };
}

const submit = ({ backend }: Project, name: string): Promise<unknown> =>
  backend.store.submit(queues.map((queue) => newTask(`${queue} ${name}`, { queue })));

/** Takes until so many came, through outages. */
async function takeSome(owner: Consumer, count: number): Promise<Delivery[]> {
  const taken: Delivery[] = [];
  for (const end = Date.now() + 10_000; taken.length < count && Date.now() < end;) {
    taken.push(...(await owner.take(inTime).catch(ignoreOutage)));
  }
  return taken;
}

function ignoreOutage(error: unknown): Delivery[] {
  if (!(error instanceof StoreUnavailableError)) throw error;
  return [];
}

it("goes on with the other queues while the node of one is away, enqueues into that too, and runs it afterwards", async () => {
  const project = await open("node away");
  const owner = await consumer(project.backend.broker, { queues });
  await submit(project, "before");
  const held = await takeSome(owner, 3);
  project.isAway = true;

  await submit(project, "during");
  const others = await takeSome(owner, 2);
  const ended = [...held, ...others].map((one) => succeeded(one));
  expect(await project.backend.store.finish(owner.id, ended)).toEqual([true, true, true, true, true]);
  await owner.renew([]);
  await expect(owner.take({ max: 1, waitMs: 0 })).rejects.toThrow("The node is away.");
  project.isAway = false;
  const late = await takeSome(owner, 1);

  expect(names(others).toSorted()).toEqual(["b during", "plain during"]);
  expect(names(late)).toEqual(["a during"]);
  expect(
    await project.backend.store.finish(
      owner.id,
      late.map((one) => succeeded(one)),
    ),
  ).toEqual([true]);
  expect(await owner.take({ max: 1, waitMs: 500 })).toEqual([]);
});

it("loses no task, and ends what runs, when the slot of a queue is emptied with its leases, while another queue is busy", async () => {
  const project = await open("slot emptied");
  const { backend, clock } = project;
  const owner = await consumer(backend.broker, { queues, leaseMs });
  await submit(project, "held");
  const held = await takeSome(owner, 3);
  await submit(project, "waiting");

  const keys = server.cli("--raw", "keys", `${projectPrefix("slot emptied", "a")}*`).split("\n");
  server.cli("del", ...keys);
  await owner.renew([]);
  expect(
    await backend.store.finish(
      owner.id,
      held.map((one) => succeeded(one)),
    ),
  ).toEqual([true, true, true]);
  const found: string[] = [];
  for (let round = 0; round < 60 && !found.includes("a waiting"); round++) {
    await clock.advance(leaseMs / 4);
    await owner.renew([]);
    // Never idle: there is always one more in the project's own slot.
    await backend.store.submit([newTask(`busy ${round}`, { queue: "plain" })]);
    const some = await owner.take({ max: 10, waitMs: 100 });
    found.push(...names(some));
    await backend.store.finish(
      owner.id,
      some.map((one) => succeeded(one)),
    );
  }

  expect(found.filter((name) => name.endsWith("waiting")).toSorted()).toEqual([
    "a waiting",
    "b waiting",
    "plain waiting",
  ]);
});
