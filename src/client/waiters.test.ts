import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Store, StoredTask } from "../contracts/store.js";
import { ClosedError, StoreUnavailableError } from "../errors.js";
import { Waiters } from "./waiters.js";

/** A store that counts its questions; the test decides what has finished. */
function countingStore(push: boolean) {
  const done = new Set<string>();
  const asked: (readonly string[])[] = [];
  const watchers = new Set<() => void>();
  const sizes = new Map<string, number>();
  const counted: [string, number | undefined][] = [];
  let countMs = 0;
  let away = false;
  const store = {
    capabilities: { push },
    finished: async (ids: readonly string[]) => {
      asked.push(ids);
      if (away) throw new StoreUnavailableError("locked");
      return ids.filter((id) => done.has(id)).map((id) => ({ id }) as StoredTask);
    },
    findByName: async () => undefined,
    countGroup: async (group: string, _: string, atMost?: number) => {
      counted.push([group, atMost]);
      if (countMs > 0) await new Promise((resolve) => setTimeout(resolve, countMs));
      return sizes.get(group) ?? 0;
    },
    watch: (changed: () => void) => {
      watchers.add(changed);
      return () => watchers.delete(changed);
    },
  } as unknown as Store;
  return {
    waiters: new Waiters(async () => store),
    asked,
    watchers,
    sizes,
    counted,
    countSlowly: (ms: number) => void (countMs = ms),
    finish: (id: string) => void done.add(id),
    change: () => watchers.forEach((changed) => changed()),
    goAway: (gone: boolean) => (away = gone),
  };
}

const id = (key: string) => ({ kind: "id", id: key }) as const;
const forEver = { waitMs: Infinity };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("waiting", () => {
  it("asks once for all that wait, whenever the store says that something changed (P112)", async () => {
    const { waiters, asked, finish, change } = countingStore(true);
    const all = ["a", "b", "c"].map((key) => waiters.wait(id(key), forEver));
    await vi.advanceTimersByTimeAsync(10);

    for (const key of ["a", "b", "c"]) finish(key);
    change();
    await vi.advanceTimersByTimeAsync(0);

    expect(await Promise.all(all)).toEqual([{ id: "a" }, { id: "b" }, { id: "c" }]);
    expect(asked).toEqual([
      ["a", "b", "c"],
      ["a", "b", "c"],
    ]);
  });

  it("looks no more often than every 5 ms, however much changes", async () => {
    const { waiters, asked, change, finish } = countingStore(true);
    const waiting = waiters.wait(id("a"), forEver);
    await vi.advanceTimersByTimeAsync(10);

    for (let i = 0; i < 100; i++) {
      change();
      await vi.advanceTimersByTimeAsync(1);
    }

    expect(asked.length).toBeGreaterThan(15);
    expect(asked.length).toBeLessThan(25);
    finish("a");
    await vi.advanceTimersByTimeAsync(30_000);
    await waiting;
  });

  it("counts a group no further than somebody waits for", async () => {
    const { waiters, counted, sizes } = countingStore(true);
    sizes.set("g", 100);

    await Promise.all([2, 5].map((count) => waiters.wait({ kind: "group", group: "g", count }, forEver)));

    expect(counted).toEqual([["g", 5]]);
  });

  it("rests ten times as long as a look took, however much changes", async () => {
    const { waiters, counted, countSlowly, change, sizes } = countingStore(true);
    countSlowly(20);
    const waiting = waiters.wait({ kind: "group", group: "g", count: 1_000 }, forEver);

    for (let i = 0; i < 2_200; i++) {
      change();
      await vi.advanceTimersByTimeAsync(1);
    }

    expect(counted.length).toBeGreaterThanOrEqual(9);
    expect(counted.length).toBeLessThanOrEqual(11);
    sizes.set("g", 1_000);
    change();
    await vi.advanceTimersByTimeAsync(500);
    expect(await waiting).toBe(true);
  });

  it("looks from time to time, in case a hint was lost", async () => {
    const { waiters, asked, finish } = countingStore(true);
    const waiting = waiters.wait(id("a"), forEver);
    await vi.advanceTimersByTimeAsync(29_000);
    expect(asked).toHaveLength(1);

    finish("a");
    await vi.advanceTimersByTimeAsync(1_000);

    expect(await waiting).toEqual({ id: "a" });
  });

  it("polls a store that cannot say so, from 50 ms to once a second", async () => {
    const { waiters, asked, finish } = countingStore(false);
    const waiting = waiters.wait(id("a"), forEver);

    await vi.advanceTimersByTimeAsync(60);
    const soon = asked.length;
    await vi.advanceTimersByTimeAsync(20_000);
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(10_000);

    expect(soon).toBe(2);
    expect(asked.length - before).toBe(10);
    finish("a");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await waiting).toEqual({ id: "a" });
  });

  it("looks once more when the time is up", async () => {
    const { waiters, asked, finish } = countingStore(true);
    const waiting = waiters.wait(id("a"), { waitMs: 500 });
    await vi.advanceTimersByTimeAsync(499);

    finish("a");
    await vi.advanceTimersByTimeAsync(1);

    expect(await waiting).toEqual({ id: "a" });
    expect(asked).toHaveLength(2);
  });

  it("waits for a group until it is large enough", async () => {
    const { waiters, sizes, change } = countingStore(true);
    const waiting = waiters.wait({ kind: "group", group: "g", count: 3 }, forEver);
    await vi.advanceTimersByTimeAsync(10);

    sizes.set("g", 4);
    change();
    await vi.advanceTimersByTimeAsync(0);

    expect(await waiting).toBe(true);
  });

  it("leaves nothing behind: no timer, no watch", async () => {
    const { waiters, watchers, finish, change } = countingStore(true);
    const waiting = waiters.wait(id("a"), { waitMs: 60_000, signal: new AbortController().signal });
    await vi.advanceTimersByTimeAsync(10);
    expect(watchers.size).toBe(1);

    finish("a");
    change();
    await vi.advanceTimersByTimeAsync(0);
    await waiting;

    expect(watchers.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("one look", () => {
  it("does not watch", async () => {
    const { waiters, watchers, asked } = countingStore(true);

    const found = await waiters.wait(id("a"), { waitMs: 0 });

    expect(found).toBeUndefined();
    expect([watchers.size, asked.length, vi.getTimerCount()]).toEqual([0, 1, 0]);
  });

  it("is shared by calls of the same turn", async () => {
    const { waiters, asked } = countingStore(true);

    await Promise.all(["a", "b"].map((key) => waiters.wait(id(key), { waitMs: 0 })));

    expect(asked).toEqual([["a", "b"]]);
  });
});

describe("an outage", () => {
  it("does not end a wait before its time", async () => {
    const { waiters, finish, goAway } = countingStore(true);
    goAway(true);
    const waiting = waiters.wait(id("a"), forEver);
    await vi.advanceTimersByTimeAsync(5_000);

    goAway(false);
    finish("a");
    await vi.advanceTimersByTimeAsync(1_000);

    expect(await waiting).toEqual({ id: "a" });
  });

  it("is told when the time is up, and to a single look at once", async () => {
    const { waiters, goAway } = countingStore(true);
    goAway(true);

    const late = expect(waiters.wait(id("a"), { waitMs: 500 })).rejects.toThrow(StoreUnavailableError);
    const once = expect(waiters.wait(id("b"), { waitMs: 0 })).rejects.toThrow(StoreUnavailableError);
    await vi.advanceTimersByTimeAsync(500);

    await Promise.all([late, once]);
  });
});

it("ends every wait when the client is closed", async () => {
  const { waiters } = countingStore(true);
  const waiting = expect(waiters.wait(id("a"), forEver)).rejects.toThrow(ClosedError);
  await vi.advanceTimersByTimeAsync(10);

  waiters.close();

  await waiting;
  expect(vi.getTimerCount()).toBe(0);
});
