import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Qluster, TaskStatus } from "../client/types.js";
import type { FinishedTask } from "../core/task-types.js";
import { renderBar } from "./render-bar.js";
import type { Terminal } from "./terminal.js";

const drawEveryMs = 200;
const spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const wipe = "\r\u001B[K";

/** Waits for a task, and meanwhile shows on a terminal where it stands. @param waitMs - At most; `Infinity` for ever. */
export async function waitForResult(
  q: Pick<Qluster, "fetch" | "status">,
  id: string,
  waitMs: number,
  terminal: Terminal,
): Promise<FinishedTask | undefined> {
  const over = new AbortController();
  const drawing = terminal.interactive ? draw(q, id, terminal, over.signal) : undefined;
  try {
    return await q.fetch(id, { wait: waitMs });
  } finally {
    over.abort();
    await drawing;
  }
}

async function draw(q: Pick<Qluster, "status">, id: string, terminal: Terminal, over: AbortSignal): Promise<void> {
  const began = performance.now();
  for (let frame = 0; !over.aborted; frame++) {
    // What cannot be read now is not drawn; the wait itself tells of errors.
    const status = await q.status(id).catch(() => undefined);
    if (over.aborted) break;
    const line = waitingLine(status, performance.now() - began, terminal.width() - 1);
    terminal.writeNote(`${wipe}${spinner[frame % spinner.length]} ${line}`);
    await sleep(drawEveryMs, undefined, { signal: over }).catch(() => {});
  }
  terminal.writeNote(wipe);
}

/** @param width - Columns there are. */
export function waitingLine(status: TaskStatus | undefined, elapsedMs: number, width: number): string {
  const seconds = `${Math.floor(elapsedMs / 1_000)} s`;
  const progress = status?.notes.progress;
  const room = Math.max(0, width - 2);
  if (progress === undefined || progress.total === null)
    return `${status?.state ?? "waiting"} ${seconds}`.slice(0, room);
  return renderBar(progress.note ?? status?.state ?? "running", { ...progress, total: progress.total }, elapsedMs, {
    width: room,
    blocks: true,
  });
}
