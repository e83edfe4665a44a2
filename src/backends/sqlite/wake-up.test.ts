import * as fs from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { connectTo, temporaryFile } from "../../../test/support/sqlite-file.js";
import type { SqliteDatabase } from "./driver.js";
import { WakeUp } from "./wake-up.js";

vi.mock("node:fs", { spy: true });

let file: string;
let own: SqliteDatabase;
let looks: number;

beforeEach(() => {
  file = temporaryFile();
  own = connectTo(file);
  own.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (a)");
  looks = 0;
});

afterEach(() => vi.restoreAllMocks());

function wakeUp(trustEvents = true): WakeUp {
  const made = new WakeUp({
    file,
    trustEvents,
    dataVersion: () => {
      looks += 1;
      return own.prepare("PRAGMA data_version").all<{ data_version: number }>([])[0]?.data_version ?? 0;
    },
  });
  onTestFinished(() => made.end());
  return made;
}

/** How often it called within `ms`. */
async function calls(made: WakeUp, ms: number, act: () => void | Promise<void>): Promise<number> {
  let count = 0;
  const stop = made.listen(() => (count += 1));
  await act();
  await wait(ms);
  stop();
  return count;
}

it("wakes within milliseconds when another program writes, and never while nobody does", async () => {
  const made = wakeUp();
  const other = connectTo(file);
  let woken: number | undefined;
  made.listen(() => (woken ??= performance.now()));
  await wait(150);
  expect(woken).toBeUndefined();
  const before = looks;

  const start = performance.now();
  other.exec("INSERT INTO t VALUES (1)");
  await vi.waitFor(() => expect(woken).toBeDefined(), { timeout: 2_000, interval: 1 });

  expect(woken! - start).toBeLessThan(500);
  expect(before).toBe(1);
});

it("does not wake for its own writes but when told to", async () => {
  const made = wakeUp();

  expect(await calls(made, 60, () => own.exec("INSERT INTO t VALUES (1)"))).toBe(0);
  expect(await calls(made, 0, () => made.changed())).toBe(1);
});

it("wakes a few times, not hundreds of times, while another program writes all the time, and once after its last write", async () => {
  const made = wakeUp();
  const other = connectTo(file);
  other.exec("PRAGMA synchronous = OFF");
  const insert = other.prepare("INSERT INTO t VALUES (?)");

  const count = await calls(made, 100, async () => {
    for (let n = 0; n < 500; n++) {
      insert.run([n]);
      if (n % 50 === 0) await wait(1);
    }
  });

  expect(count).toBeGreaterThanOrEqual(1);
  expect(count).toBeLessThan(100);
});

it("looks again and again where files cannot be watched, less and less often", async () => {
  vi.spyOn(fs, "watch").mockImplementation(() => {
    throw new Error("ENOSPC: System limit for number of file watchers reached");
  });
  const made = wakeUp();
  const other = connectTo(file);

  expect(made.isPushed).toBe(false);
  expect(await calls(made, 400, () => other.exec("INSERT INTO t VALUES (1)"))).toBe(1);
  expect(looks).toBeLessThan(12);
});

it("stops watching when nobody has listened for a while", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const close = vi.fn<() => void>();
  const watcher = { on: () => watcher, close } as unknown as fs.FSWatcher;
  vi.spyOn(fs, "watch").mockReturnValue(watcher);
  const made = wakeUp();

  const stop = made.listen(() => undefined);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(close).not.toHaveBeenCalled();
  stop();
  await vi.advanceTimersByTimeAsync(60_000);

  expect(close).toHaveBeenCalledOnce();
});
