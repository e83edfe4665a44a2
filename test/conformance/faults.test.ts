import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { openBackend } from "../../src/backends/memory/index.js";
import type { Backend } from "../../src/contracts/backend.js";
import type { Broker, Consumer } from "../../src/contracts/broker.js";
import type { Cache } from "../../src/contracts/cache.js";
import type { NewTask, Outcome, Settlement, Store } from "../../src/contracts/store.js";
import {
  brokerSuite,
  cacheSuite,
  manualClock,
  storeSuite,
  type Suite,
  type TestClock,
  type Where,
} from "../../src/testing/index.js";

/** A backend with one fault, made from one without. */
type Fault = (backend: Backend) => Backend;

// Each line is a mistake that an author of a backend can make. A suite that lets one pass promises too much.
describe.concurrent("a suite of promises catches a backend that", () => {
  it.each<[fault: string, Fault]>([
    [
      "cuts long envelopes",
      inBroker((broker) => ({
        enqueue: (queue, all) =>
          broker.enqueue(
            queue,
            all.map((one) => ({ ...one, envelope: one.envelope.slice(0, 65_536) })),
          ),
      })),
    ],
    [
      "forgets priorities",
      inBroker((broker) => ({
        enqueue: (queue, all) =>
          broker.enqueue(
            queue,
            all.map((one) => ({ ...one, priority: 0 })),
          ),
      })),
    ],
    [
      "forgets delays",
      inBroker((broker) => ({
        enqueue: (queue, all) =>
          broker.enqueue(
            queue,
            all.map((one) => ({ ...one, delayMs: 0 })),
          ),
      })),
    ],
    [
      "hands out more than was asked for",
      inConsumer((consumer) => ({ take: (options) => consumer.take({ ...options, max: options.max + 1 }) })),
    ],
    [
      "looks into all queues, whatever `from` says",
      inConsumer((consumer) => ({ take: (options) => consumer.take({ ...options, from: undefined }) })),
    ],
    [
      "does not count deliveries",
      inConsumer((consumer) => ({
        take: async (options) => (await consumer.take(options)).map((one) => ({ ...one, deliveries: 1 })),
      })),
    ],
    [
      "throws when a wait is aborted",
      inConsumer((consumer) => ({
        take: async (options) => {
          const taken = await consumer.take(options);
          options.signal?.throwIfAborted();
          return taken;
        },
      })),
    ],
    [
      "looks for new messages every half minute",
      inConsumer((consumer) => ({
        take: async (options) => {
          const taken = await consumer.take({ ...options, waitMs: 0 });
          if (taken.length > 0 || options.waitMs === 0) return taken;
          await wait(Math.min(30_000, options.waitMs), undefined, { signal: options.signal, ref: false }).catch(
            () => {},
          );
          return consumer.take({ ...options, waitMs: 0 });
        },
      })),
    ],
    [
      "acknowledges whatever it is given",
      inConsumer((consumer) => ({
        acknowledge: async (receipts) => {
          await consumer.acknowledge(receipts);
          return receipts.map(() => true);
        },
      })),
    ],
    [
      "forgets the delay of a release",
      inConsumer((consumer) => ({
        release: (receipts, options) => consumer.release(receipts, { ...options, delayMs: 0 }),
      })),
    ],
    [
      "forgets suspects",
      inConsumer((consumer) => ({
        release: (receipts, options) => consumer.release(receipts, { ...options, suspect: false }),
      })),
    ],
    ["keeps what a closed consumer held", inConsumer(() => ({ close: async () => {} }))],
    [
      "never refuses to renew",
      inConsumer((consumer) => ({ renew: (running) => consumer.renew(running).catch(() => {}) })),
    ],
    [
      "never takes over",
      inBroker((broker) => ({ consume: (options) => broker.consume({ ...options, leaseMs: 1e12 }) })),
    ],
    [
      "ends leases early",
      inBroker((broker) => ({ consume: (options) => broker.consume({ ...options, leaseMs: options.leaseMs / 10 }) })),
    ],
    [
      "counts what is held as waiting",
      inBroker((broker) => ({
        queueSize: async (queue) => (await broker.queueSize(queue)) + (await broker.lockSize(queue)),
      })),
    ],
    [
      "lists from the start, whatever the cursor",
      inBroker((broker) => ({ list: (queue, page) => broker.list(queue, { limit: page.limit }) })),
    ],
    ["purges what is held", inBroker((broker) => ({ purge: (queue) => broker.deleteQueue(queue) }))],
    [
      "leaves held messages when a queue is deleted",
      inBroker((broker) => ({ deleteQueue: (queue) => broker.purge(queue) })),
    ],
    ["gives itself no name", inBroker(() => ({ info: async () => "" }))],
  ])("%s", async (_, fault) => {
    expect(await firstFailure(fault, brokerSuite)).toBeDefined();
  });

  it.each<[fault: string, Fault]>([
    [
      "never says that a task has expired",
      inConsumer((consumer) => ({
        take: async (options) => (await consumer.take(options)).map((one) => ({ ...one, expired: false })),
      })),
    ],
    ["does not record what runs", inConsumer((consumer) => ({ renew: () => consumer.renew([]) }))],
    [
      "says of every task that it was created",
      inStore((store) => ({
        submit: async (tasks) => (await store.submit(tasks)).map((one) => ({ ...one, created: true })),
      })),
    ],
    ["ignores unique keys", inTasks(() => ({ unique: null }))],
    ["holds unique keys without limit", inTasks(({ unique }) => ({ unique: unique && { ...unique, forMs: null } }))],
    [
      "holds unique keys past the start",
      inTasks(({ unique }) => ({ unique: unique && { ...unique, until: "finished" } })),
    ],
    [
      "shares unique keys by their first letters",
      inTasks(({ unique }) => ({ unique: unique && { ...unique, key: unique.key.slice(0, 10) } })),
    ],
    ["never lets tasks expire", inTasks(() => ({ expiresMs: null }))],
    ["ignores the instant of a task", inTasks(() => ({ dueAt: null }))],
    ["adds delay and instant", inTasks(({ delayMs, dueAt }) => ({ dueAt: dueAt === null ? null : dueAt + delayMs }))],
    ["forgets groups", inTasks(() => ({ group: null }))],
    ["counts hooks as tasks", inTasks(() => ({ kind: "task" }))],
    [
      "says that every ending was stored",
      inStore((store) => ({
        finish: async (consumer, all) => {
          await store.finish(consumer, all);
          return all.map(() => true);
        },
      })),
    ],
    ["forgets what follows", inSettlements(() => ({ followUps: [] }))],
    [
      "keeps successes that leave no record",
      inOutcomes((outcome) => (outcome.to === "succeeded" ? { ...outcome, keep: true } : outcome)),
    ],
    ["retries at once", inOutcomes((outcome) => (outcome.to === "retrying" ? { ...outcome, delayMs: 0 } : outcome))],
    [
      "counts what was given back",
      inSettlements(({ attempt }) => ({ attempt: attempt && { ...attempt, counted: true } })),
    ],
    [
      "forgets suspects among the endings",
      inOutcomes((outcome) => (outcome.to === "queued" ? { ...outcome, suspect: false } : outcome)),
    ],
    [
      "forgets why a message was set aside",
      inOutcomes((outcome) =>
        "error" in outcome ? { ...outcome, error: { ...outcome.error, dead: undefined } } : outcome,
      ),
    ],
    [
      "sends what follows although the ending was refused",
      inStore((store) => ({
        finish: async (consumer, all) => {
          await store.submit(all.flatMap(({ followUps }) => followUps));
          return store.finish(consumer, all);
        },
      })),
    ],
    [
      "remembers the last attempt only",
      inStore((store) => ({ attempts: async (id) => (await store.attempts(id)).slice(-1) })),
    ],
    [
      "says that a running task was cancelled",
      inStore((store) => ({
        cancel: async (id) => ((await store.cancel(id)) === "requested" ? "cancelled" : store.cancel(id)),
      })),
    ],
    ["finds finished tasks only", inStore((store) => ({ get: (ids) => store.finished(ids) }))],
    ["takes waiting tasks for finished ones", inStore((store) => ({ finished: (ids) => store.get(ids) }))],
    [
      "finds only names that were given",
      inStore((store) => ({
        findByName: async (name) => (/^\w+-\w+-\w+-\w+$/.test(name) ? undefined : store.findByName(name)),
      })),
    ],
    [
      "lists the oldest member first",
      inStore((store) => ({ group: async (group, query) => (await store.group(group, query)).toReversed() })),
    ],
    [
      "counts only successes in a group",
      inStore((store) => ({ countGroup: (group) => store.countGroup(group, "succeeded") })),
    ],
    [
      "deletes tasks with their label",
      inStore((store) => ({ deleteGroup: (group) => store.deleteGroup(group, { tasks: true }) })),
    ],
    [
      "keeps the first progress",
      inStore((store) => ({
        report: async (notes) => {
          for (const note of notes)
            await store.report([
              (await store.notes(note.id)).progress === undefined ? note : { ...note, progress: undefined },
            ]);
        },
      })),
    ],
    ["keeps clusters for ever", inStore((store) => ({ beat: (status) => store.beat(status, 1e12) }))],
    [
      "hands out orders again",
      inStore((store) => ({
        inbox: async (id) => {
          const orders = await store.inbox(id);
          for (const order of orders) await store.tell(id, order);
          return orders;
        },
      })),
    ],
    ["counts without a cap", inStore((store) => ({ counts: () => store.counts(1e9) }))],
    ["adds up all rollups, whatever `since` says", inStore((store) => ({ throughput: () => store.throughput(0) }))],
    [
      "cleans away members of young groups",
      inStore((store) => ({ clean: (limits) => store.clean({ ...limits, groupMs: 0 }) })),
    ],
    [
      "cleans by age only",
      inStore((store) => ({ clean: (limits) => store.clean({ ...limits, successesCount: null }) })),
    ],
    [
      "counts all successes together",
      inStore((store) => ({ clean: (limits) => store.clean({ ...limits, per: null }) })),
    ],
    [
      "cleans failures by the age for successes",
      inStore((store) => ({ clean: (limits) => store.clean({ ...limits, failuresMs: limits.successesMs }) })),
    ],
    ["tells watchers nothing", inStore(() => ({ watch: () => () => {} }))],
    [
      "never stops telling watchers",
      inStore((store) => ({
        watch: (changed) => {
          store.watch(changed);
          return () => {};
        },
      })),
    ],
    ["stands still", inStore(() => ({ now: async () => Date.UTC(2026, 0, 1, 12) }))],
  ])("%s", async (_, fault) => {
    expect(await firstFailure(fault, storeSuite)).toBeDefined();
  });

  it.each<[fault: string, Fault]>([
    [
      "writes whatever was expected",
      inCache((cache) => ({
        setIf: async (key, _, value, ttlMs) => {
          await cache.set(key, value, ttlMs);
          return true;
        },
      })),
    ],
    [
      "looks before it writes, not while it writes",
      inCache((cache) => ({
        setIf: async (key, expected, value, ttlMs) => {
          const entry = await cache.get(key);
          if ((entry?.version ?? null) !== expected) return false;
          await wait(1);
          await cache.set(key, value, ttlMs);
          return true;
        },
      })),
    ],
    [
      "takes the value for its version",
      inCache((cache) => ({
        get: async (key) => {
          const entry = await cache.get(key);
          return entry && { ...entry, version: entry.value };
        },
        setIf: async (key, expected, value, ttlMs) => {
          if (((await cache.get(key))?.value ?? null) !== expected) return false;
          await cache.set(key, value, ttlMs);
          return true;
        },
      })),
    ],
    [
      "keeps entries for ever",
      inCache((cache) => ({
        set: (key, value) => cache.set(key, value, null),
        setIf: (key, expected, value) => cache.setIf(key, expected, value, null),
      })),
    ],
    [
      "keeps entries for a minute at most",
      inCache((cache) => ({ set: (key, value, ttlMs) => cache.set(key, value, Math.min(ttlMs ?? 500, 500)) })),
    ],
    [
      "reads a set, adds, and writes it back",
      inCache(() => {
        const sets = new Map<string, string[]>();
        return {
          members: async (key) => sets.get(key) ?? [],
          addMembers: async (key, members) => {
            const before = sets.get(key) ?? [];
            await wait(1);
            const all = [...new Set([...before, ...members])];
            sets.set(key, all);
            return all.length;
          },
        };
      }),
    ],
    [
      "keeps sets for ever",
      inCache((cache) => ({ addMembers: (key, members) => cache.addMembers(key, members, null) })),
    ],
    [
      "forgets sets when it deletes",
      inCache((cache) => ({
        delete: async (key) => ((await cache.get(key)) === undefined ? false : cache.delete(key)),
      })),
    ],
    [
      "always says that it deleted",
      inCache((cache) => ({
        delete: async (key) => {
          await cache.delete(key);
          return true;
        },
      })),
    ],
  ])("%s", async (_, fault) => {
    expect(await firstFailure(fault, cacheSuite)).toBeDefined();
  });

  it("keeps no projects apart", async () => {
    const failure = await firstFailure(
      (backend) => backend,
      brokerSuite,
      (where, clock) => openMemory({ ...where, project: "one for all" }, clock),
    );

    expect(failure).toMatch(/another project/);
  });
});

it("A suite of promises lets a backend without a fault pass", async () => {
  expect(await firstFailure((backend) => backend, allSuites)).toBeUndefined();
});

function openMemory({ place, project, migrate }: Where, clock: TestClock): Promise<Backend> {
  return openBackend({ location: place, project, migrate, durability: "process", blockMs: 50, retryMs: 1_000 }, clock);
}

/** No fault here needs the tests with thousands of tasks: they would only cost time. */
const isLong = /1,000|thousands|random steps/;

type AnySuite = Parameters<typeof brokerSuite>[0];

function allSuites(suite: AnySuite): void {
  brokerSuite(suite);
  storeSuite(suite);
  cacheSuite(suite);
}

/** Runs a suite until a test fails, and says which; `undefined` when all pass. */
async function firstFailure(
  fault: Fault,
  register: (suite: AnySuite) => void,
  open = openMemory,
): Promise<string | undefined> {
  const clock = manualClock();
  const tests: { readonly name: string; readonly body: () => Promise<void> }[] = [];
  const suite: Suite = {
    describe: (_, body) => body(),
    it: (name, body) => tests.push({ name, body }),
    open: async (where) => fault(await open(where, clock)),
    clock,
  };
  const { broker } = await open({ place: "capabilities", project: "any", migrate: true }, clock);
  register({ ...suite, capabilities: broker.capabilities });

  for (const { name, body } of tests) {
    if (isLong.test(name)) continue;
    try {
      await body();
    } catch {
      return name;
    }
  }
  return undefined;
}

function inBroker(change: (broker: Broker) => Partial<Broker>): Fault {
  return (backend) => ({ ...backend, broker: { ...backend.broker, ...change(backend.broker) } });
}

function inConsumer(change: (consumer: Consumer) => Partial<Consumer>): Fault {
  return inBroker((broker) => ({
    async consume(options) {
      const consumer = await broker.consume(options);
      return { ...consumer, ...change(consumer) };
    },
  }));
}

function inStore(change: (store: Store) => Partial<Store>): Fault {
  return (backend) => ({ ...backend, store: { ...backend.store, ...change(backend.store) } });
}

function inCache(change: (cache: Cache) => Partial<Cache>): Fault {
  return (backend) => ({ ...backend, cache: { ...backend.cache, ...change(backend.cache) } });
}

function inTasks(change: (task: NewTask) => Partial<NewTask>): Fault {
  return inStore((store) => ({ submit: (tasks) => store.submit(tasks.map((task) => ({ ...task, ...change(task) }))) }));
}

function inSettlements(change: (settlement: Settlement) => Partial<Settlement>): Fault {
  return inStore((store) => ({
    finish: (consumer, all) =>
      store.finish(
        consumer,
        all.map((one) => ({ ...one, ...change(one) })),
      ),
  }));
}

function inOutcomes(change: (outcome: Outcome) => Outcome): Fault {
  return inSettlements(({ outcome }) => ({ outcome: change(outcome) }));
}
