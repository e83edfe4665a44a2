import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ClusterStatus } from "../contracts/store.js";
import { LiveNames } from "./live-names.js";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const ignore = (): void => undefined;

function asking(tasks: readonly (readonly string[])[]) {
  const warnings: string[] = [];
  const state = { tasks, asked: 0, away: false };
  const names = new LiveNames(
    async () => {
      state.asked += 1;
      if (state.away) throw new Error("away");
      return state.tasks.map((known) => ({ tasks: known }) as ClusterStatus);
    },
    { debug: ignore, info: ignore, error: ignore, warn: (message) => void warnings.push(message) },
  );
  const check = async (name: string): Promise<void> => {
    names.check(name);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  };
  return { check, warnings, state };
}

it("warns once about a name that no running cluster knows, with the nearest one", async () => {
  const { check, warnings } = asking([["images.resize"], ["mail.send"]]);

  for (let i = 0; i < 3; i++) await check("images.resise");

  expect(warnings).toEqual([
    'No running cluster knows the task "images.resise". Did you mean "images.resize"? It waits, for `unknownFor`, until one does.',
  ]);
});

it("says nothing about a name that one of them knows", async () => {
  const { check, warnings } = asking([["images.resize"], ["mail.send"]]);

  await check("mail.send");

  expect(warnings).toEqual([]);
});

it("says nothing while no cluster runs, and asks again after five seconds", async () => {
  const { check, warnings, state } = asking([]);
  await check("images.resise");
  await check("images.resise");
  expect([warnings.length, state.asked]).toEqual([0, 1]);

  state.tasks = [["images.resize"]];
  vi.advanceTimersByTime(5_000);
  await check("images.resise");

  expect([warnings.length, state.asked]).toEqual([1, 2]);
});

it("asks once for many names", async () => {
  const { check, state } = asking([["a"]]);

  await Promise.all(["b", "c", "d"].map(check));

  expect(state.asked).toBe(1);
});

it("says nothing while the database is away", async () => {
  const { check, warnings, state } = asking([["a"]]);
  state.away = true;

  await check("b");

  expect(warnings).toEqual([]);
});
