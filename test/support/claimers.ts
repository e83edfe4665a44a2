import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished } from "vitest";
import type { Backend, NewTask } from "../../src/contracts/index.js";
import { makeId } from "../../src/core/ids.js";

const script = new URL("../conformance/claimer.mjs", import.meta.url);

/** Four processes take and end 20,000 tasks: each of them once. @param openers - How each of them opens the location. */
export async function claimByFour(backend: Backend, location: string, openers: readonly string[]): Promise<void> {
  const claimers = openers.map((opener) => start(location, opener));
  await Promise.all(claimers.map(({ ready }) => ready));
  const tasks = Array.from({ length: 20_000 }, newTask);
  for (let at = 0; at < tasks.length; at += 1_000) await backend.store.submit(tasks.slice(at, at + 1_000));

  for (const { child } of claimers) child.send("go");
  const done = (await Promise.all(claimers.map(({ child }) => report(child)))).flat();

  expect(done.length).toBe(20_000);
  expect(new Set(done)).toEqual(new Set(tasks.map(({ id }) => id)));
  expect(await backend.store.counts(100_000)).toEqual({ queued: 0, running: 0, succeeded: 20_000, failed: 0 });
}

function start(location: string, opener: string): { child: ChildProcess; ready: Promise<unknown> } {
  const child = fork(script, [location, opener, "64"]);
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, ready: Promise.race([once(child, "message"), failure(child)]) };
}

async function report(child: ChildProcess): Promise<string[]> {
  const [done] = (await Promise.race([once(child, "message"), failure(child)])) as [string[]];
  return done;
}

async function failure(child: ChildProcess): Promise<never> {
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  throw new Error(`A process ended too early, with ${signal ?? `code ${code}`}.`);
}

function newTask(): NewTask {
  const id = makeId(Date.now(), crypto.getRandomValues(new Uint8Array(10)));
  const task = { id, queue: "q", envelope: `{"v":1,"id":"${id}"}`, func: "core.tasks.check", kind: "task" } as const;
  const rest = { name: null, group: null, parent: null, dueAt: null, expiresMs: null, unique: null };
  return { ...task, ...rest, priority: 0, delayMs: 0 };
}
