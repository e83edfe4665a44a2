import { describe, expect, it } from "vitest";
import { openBackend } from "../../src/backends/memory/index.js";
import type { Backend, BackendOptions } from "../../src/contracts/backend.js";
import type { Begun, Hold, Outbox, OutboxOptions, UnsentMessage } from "../../src/contracts/outbox.js";
import { manualClock, outboxSuite, type OutboxSuite, type TestClock, type Where } from "../../src/testing/index.js";

interface Fault {
  /** Opens the store with other numbers than it was told. */
  readonly options?: Partial<OutboxOptions>;
  readonly bend?: (backend: Backend) => Backend;
}

// Each line is a mistake that an author of a store can make. A suite that lets one pass promises too much.
describe.concurrent("the outbox suite catches a store that", () => {
  it.each<[fault: string, Fault]>([
    ["hands a task to everybody who asks", { options: { handMs: 0 } }],
    ["never hands a task to anybody but its writer", { options: { handMs: 1e9 } }],
    ["never sends again what the broker has lost", { options: { resendMs: 1e9 } }],
    ["sends again what has just been sent", { options: { resendMs: 1, missingMs: 0 } }],
    ["sends long delays at once", { options: { aheadMs: 1e9 } }],
    ["sends no delay to the broker", { options: { aheadMs: 0 } }],
    ["finds everything missing at once", { options: { missingMs: 0 } }],
    ["never misses anything", { options: { missingMs: -1e9 } }],
    ["has no outbox", { bend: (backend) => ({ ...backend, outbox: undefined }) }],
    ["forgets what was sent", inOutbox(() => ({ sent: async () => {} }))],
    ["tells no delays", inMessages((message) => ({ ...message, delayMs: 0 }))],
    ["tells no priorities", inMessages((message) => ({ ...message, priority: 0 }))],
    ["takes one queue for all", inMessages((message) => ({ ...message, queue: "q" }))],
    [
      "turns the order round",
      inHold((hold) => ({
        async unsent(max) {
          const { messages, nextInMs } = await hold.unsent(max);
          return { messages: messages.toReversed(), nextInMs };
        },
      })),
    ],
    [
      "does not know when to look again",
      inHold((hold) => ({ unsent: async (max) => ({ ...(await hold.unsent(max)), nextInMs: null }) })),
    ],
    ["hands out more than was asked for", inHold((hold) => ({ unsent: (max) => hold.unsent(max + 1) }))],
    [
      "misses what is in other queues",
      inHold((hold) => ({
        missing: async (queue, max) => [...(await hold.missing(queue, max)), ...(await hold.missing("media", max))],
      })),
    ],
    ["answers in another order", inAnswers((answers) => answers.toReversed())],
    [
      "does not know what has finished",
      inAnswers((answers) => answers.map((one) => (one.as === "finished" ? { as: "unknown" } : one))),
    ],
    [
      "takes the unknown for finished",
      inAnswers((answers) => answers.map((one) => (one.as === "unknown" ? { as: "finished" } : one))),
    ],
    [
      "does not say how long to wait",
      inAnswers((answers) => answers.map((one) => (one.as === "later" ? { as: "later", delayMs: 0 } : one))),
    ],
    [
      "counts a repeated call",
      inHold((hold) => {
        let calls = 0;
        const counted = (one: Begun): Begun =>
          one.as === "begun" ? { as: "begun", delivery: { ...one.delivery, deliveries: calls } } : one;
        return {
          async begin(ids) {
            calls += 1;
            return (await hold.begin(ids)).map(counted);
          },
        };
      }),
    ],
    [
      "asks nothing when there is nothing to begin",
      inHold((hold) => ({ begin: async (ids) => (ids.length === 0 ? [] : hold.begin(ids)) })),
    ],
    [
      "lets one hold have what another one has",
      inHold((hold) => ({
        async begin(ids) {
          const answers = await hold.begin(ids);
          return answers.map((one) => (one.as === "later" ? (answers.find(({ as }) => as === "begun") ?? one) : one));
        },
      })),
    ],
    ["keeps what a closed hold had", inHold(() => ({ close: async () => {} }))],
    ["keeps what was released", inHold(() => ({ release: async () => {} }))],
    ["forgets the delay of a release", inHold((hold) => ({ release: (receipts) => hold.release(receipts) }))],
    ["forgets what ran", inHold((hold) => ({ renew: () => hold.renew([]) }))],
    [
      "forgets what follows",
      {
        bend: (backend) => ({
          ...backend,
          store: {
            ...backend.store,
            finish: (id, all) =>
              backend.store.finish(
                id,
                all.map((one) => ({ ...one, followUps: [] })),
              ),
          },
        }),
      },
    ],
  ])("%s", async (_, fault) => {
    expect(await firstFailure(fault)).toBeDefined();
  });
});

it("The outbox suite lets a store without a fault pass", async () => {
  expect(await firstFailure({})).toBeUndefined();
});

function open(fault: Fault, where: Where & Pick<BackendOptions, "outbox">, clock: TestClock): Promise<Backend> {
  const { place, outbox, ...rest } = where;
  const told = outbox === undefined ? {} : { outbox: { ...outbox, ...fault.options } };
  const numbers = { durability: "process", blockMs: 50, retryMs: 1_000 } as const;
  return openBackend({ ...rest, ...told, ...numbers, location: place }, clock);
}

/** Runs the suite until a test fails, and says which; `undefined` when all pass. */
async function firstFailure(fault: Fault): Promise<string | undefined> {
  const clock = manualClock();
  const tests: { readonly name: string; readonly body: () => Promise<void> }[] = [];
  const suite: OutboxSuite = {
    describe: (_, body) => body(),
    it: (name, body) => tests.push({ name, body }),
    open: async (where) => (fault.bend ?? same)(await open(fault, where, clock)),
    clock,
  };
  outboxSuite(suite);
  for (const { name, body } of tests) {
    try {
      await body();
    } catch {
      return name;
    }
  }
  return undefined;
}

function same(backend: Backend): Backend {
  return backend;
}

function inOutbox(change: (outbox: Outbox) => Partial<Outbox>): Fault {
  return {
    bend: (backend) => {
      const { outbox } = backend;
      return outbox === undefined ? backend : { ...backend, outbox: { ...outbox, ...change(outbox) } };
    },
  };
}

function inHold(change: (hold: Hold) => Partial<Hold>): Fault {
  return inOutbox((outbox) => ({
    async hold(options) {
      const hold = await outbox.hold(options);
      return { ...hold, ...change(hold) };
    },
  }));
}

function inAnswers(change: (answers: Begun[]) => Begun[]): Fault {
  return inHold((hold) => ({ begin: async (ids) => change(await hold.begin(ids)) }));
}

function inMessages(change: (message: UnsentMessage) => UnsentMessage): Fault {
  return inHold((hold) => ({
    async unsent(max) {
      const { messages, nextInMs } = await hold.unsent(max);
      return { messages: messages.map(change), nextInMs };
    },
  }));
}
