import { expect, it } from "vitest";
import type { Backend } from "../../contracts/backend.js";
import { manualClock } from "../../testing/manual-clock.js";
import { memoryBackend, openBackend } from "./index.js";

const options = { project: "shop", durability: "process", blockMs: 50, retryMs: 1_000, migrate: true } as const;

function open(location: string, project = "shop"): Promise<Backend> {
  return openBackend({ ...options, location, project });
}

it("Two openings of one place see the same entries, another place does not", async () => {
  await using first = await open("foo");
  await using second = await open("foo");
  await using other = await open("bar");
  await first.cache.set("k", "v", null);

  expect(await second.cache.get("k")).toMatchObject({ value: "v" });
  expect(await other.cache.get("k")).toBeUndefined();
});

it("A place is kept while one backend is open, and forgotten with the last one", async () => {
  const first = await open("kept");
  const second = await open("kept");
  await first.cache.set("k", "v", null);
  await first[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();

  await using third = await open("kept");
  await second[Symbol.asyncDispose]();
  const whileOpen = await third.cache.get("k");
  await third[Symbol.asyncDispose]();
  await using later = await open("kept");

  expect(whileOpen).toMatchObject({ value: "v" });
  expect(await later.cache.get("k")).toBeUndefined();
});

it("Every memory backend for a test is empty, and reads the clock it was given", async () => {
  const clock = manualClock(1_000);
  await using first = memoryBackend({ clock });
  await using second = memoryBackend({ project: "test" });
  await first.cache.set("k", "v", null);
  await clock.advance(500);

  expect(await second.cache.get("k")).toBeUndefined();
  expect(await first.store.now()).toBe(1_500);
});

it("Closing a backend ends a take that waits", async () => {
  const backend = memoryBackend();
  const cluster = { id: "c", host: "h", pid: 1 };
  const consumer = await backend.broker.consume({ queues: ["q"], leaseMs: 1_000, cluster });
  const waiting = consumer.take({ max: 1, waitMs: 60_000 });

  await backend[Symbol.asyncDispose]();

  expect(await waiting).toEqual([]);
});

it("What a cluster says of itself is copied, so that it may go on changing its own", async () => {
  await using backend = memoryBackend();
  const queues = ["q"];
  const status = { clusterId: "c", queues } as unknown as Parameters<typeof backend.store.beat>[0];

  await backend.store.beat(status, 60_000);
  queues.push("later");

  expect((await backend.store.clusters())[0]?.queues).toEqual(["q"]);
});
