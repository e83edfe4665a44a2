import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openBackend } from "../../src/backends/redis/index.js";
import type { Backend } from "../../src/contracts/backend.js";
import type { OutboxOptions } from "../../src/contracts/outbox.js";
import { consumer, idOf, takeOne } from "../../src/testing/messages.js";
import { beginOne, finish, hold, times, type WithOutbox } from "../../src/testing/outbox/open.js";
import { finishOne, newTask, succeeded } from "../../src/testing/tasks.js";
import { startRedis, type RedisServer } from "../support/redis.js";

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

/** Sent at once by whoever looks. */
const eager: OutboxOptions = { ...times, handMs: 0 };

async function open(project: string, outbox?: OutboxOptions): Promise<Backend> {
  const backend = await openBackend({
    location: server.url,
    project,
    durability: "process",
    migrate: true,
    blockMs: 50,
    retryMs: 1_000,
    outbox,
  });
  onTestFinished(() => backend[Symbol.asyncDispose]());
  return backend;
}

async function openOutbox(project: string): Promise<WithOutbox> {
  return (await open(project, eager)) as WithOutbox;
}

describe("the outbox of a store on Redis", () => {
  it("clears away the times of tasks that a cluster without the broker's address has ended or purged", async () => {
    const backend = await openOutbox("ended elsewhere");
    const alone = await open("ended elsewhere");
    const owner = await hold(backend);
    await backend.store.submit([newTask("ended"), newTask("purged")]);
    const taker = await consumer(alone.broker);
    await finishOne(alone, taker, succeeded(await takeOne(taker)));
    await alone.broker.purge("q");

    const found = await owner.unsent(10);

    expect(found).toEqual({ messages: [], nextInMs: null });
    expect(server.cli("exists", "{qluster:ended elsewhere}:unsent")).toBe("0");
  });

  it("adopts thousands that were written without it, due and delayed, each once", async () => {
    const before = await open("adopted");
    const all = Array.from({ length: 2_500 }, (_, index) =>
      newTask(`t${index}`, { delayMs: index % 2 === 0 ? 0 : 600_000, priority: index % 3 }),
    );
    await before.store.submit(all);
    const backend = await openOutbox("adopted");

    await hold(backend);
    const owner = await hold(backend);

    const { messages, nextInMs } = await owner.unsent(2_000);
    expect(server.cli("zcard", "{qluster:adopted}:unsent")).toBe("2500");
    expect(new Set(messages.map(({ id }) => id)).size).toBe(1_250);
    expect(messages.every(({ delayMs }) => delayMs === 0)).toBe(true);
    expect(nextInMs).toBeGreaterThan(500_000);
  });

  it("leaves nothing behind of what has run", async () => {
    const backend = await openOutbox("ran");
    const owner = await hold(backend);
    await backend.store.submit([newTask("t"), newTask("cancelled")]);
    await finish(backend, owner, succeeded(await beginOne(owner, "t")));
    await backend.store.cancel(idOf("cancelled"));

    expect(server.cli("exists", "{qluster:ran}:unsent")).toBe("0");
  });

  it("goes on with what is there while the memory is full", async () => {
    const backend = await openOutbox("full");
    const owner = await hold(backend);
    await backend.store.submit([newTask("t")]);
    server.cli("config", "set", "maxmemory", "1");
    onTestFinished(() => void server.cli("config", "set", "maxmemory", "0"));

    const { messages } = await owner.unsent(10);
    await backend.outbox.sent([idOf("t")]);
    const delivery = await beginOne(owner, "t");
    await finish(backend, owner, succeeded(delivery));

    expect(messages.map(({ id }) => id)).toEqual([idOf("t")]);
  });
});
