import type { HeldJob, WorkerSlot } from "./worker-slot.js";

/** How often the marks of busy workers are read, in milliseconds; a known deadline is met to the millisecond. */
const lookEveryMs = 50;
/** A gap between looks that only a stopped process or a suspended machine explains, in milliseconds. */
const suspendedMs = 1_500;
/** How long a worker has to show that its loop turns, in milliseconds. */
const answerMs = 250;
/** The same for a worker that has a free place and starts nothing: nobody is charged, so there is no hurry. */
const probeMs = 1_000;

export interface DeadlineParts {
  readonly killAfterMs: number;
  /** How long the neighbours of a task that does not give in may go on, in milliseconds. */
  readonly neighboursMs: number;
  readonly monotonic: () => number;
  readonly slots: () => Iterable<WorkerSlot>;
}

/** Keeps the deadlines of all running tasks: asks first, and ends the worker of a task that does not give in. */
export class DeadlineKeeper {
  readonly #parts: DeadlineParts;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  #lastLook: number | undefined;

  constructor(parts: DeadlineParts) {
    this.#parts = parts;
  }

  /** Something was handed out: looks until nothing runs any more. */
  watch(): void {
    this.#plan(this.#parts.monotonic() + lookEveryMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timerAt = 0;
  }

  #plan(at: number): void {
    if (at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#look(), Math.max(0, at - this.#parts.monotonic()));
  }

  #look(): void {
    this.#timerAt = Infinity;
    const now = this.#parts.monotonic();
    const gap = this.#lastLook === undefined ? 0 : now - this.#lastLook;
    this.#lastLook = now;
    let next = Infinity;
    for (const slot of this.#parts.slots()) {
      if (slot.held.size === 0) continue;
      slot.readMarks();
      // Nobody's time ran while everything stood still.
      if (gap > suspendedMs) shift(slot, gap);
      next = Math.min(next, now + lookEveryMs, this.#keep(slot, now));
      if (!slot.probed && isIdleTooLong(slot, now, this.#parts.killAfterMs)) void this.#probe(slot);
    }
    if (next === Infinity) this.#lastLook = undefined;
    else this.#plan(next);
  }

  /** When to look at this worker again. */
  #keep(slot: WorkerSlot, now: number): number {
    let next = Infinity;
    for (const held of slot.held.values()) {
      // It started after it was told to stop.
      if (held.killAt === Infinity && held.startedAt !== null) held.killAt = now + this.#parts.killAfterMs;
      if (held.abort === null && now >= deadlineOf(held)) {
        slot.abort(held, "timeout", now + this.#parts.killAfterMs, held.entry.policy.timeoutMs ?? 0);
      }
      if (held.killAt !== null && now >= held.killAt) {
        held.killAt = null;
        void this.#end(slot);
      }
      next = Math.min(next, held.killAt ?? (held.abort === null ? deadlineOf(held) : Infinity));
    }
    return next;
  }

  /** Something that an earlier task left behind may block the loop; then nothing starts, and no deadline would end it. */
  async #probe(slot: WorkerSlot): Promise<void> {
    slot.probed = true;
    if (!(await slot.answers(probeMs)) && slot.state !== "dead") slot.channel.kill();
    slot.probed = false;
  }

  /** A task has not given in. Alone, or with a loop that is blocked, its worker ends now; otherwise its neighbours finish. */
  async #end(slot: WorkerSlot): Promise<void> {
    if (slot.running().length <= 1 || !(await slot.answers(answerMs))) return slot.channel.kill();
    if (slot.state === "dead") return;
    slot.state = "doomed";
    slot.channel.send({ t: "retire" });
    const until = this.#parts.monotonic() + this.#parts.neighboursMs;
    const wait = (): void => {
      if (slot.state === "dead") return;
      const stubborn = [...slot.held.values()].every((held) => held.abort !== null);
      if (stubborn || this.#parts.monotonic() > until) slot.channel.kill();
      else setTimeout(wait, lookEveryMs);
    };
    wait();
  }
}

/** It has a place and a job for it, and does not start. */
function isIdleTooLong(slot: WorkerSlot, now: number, limitMs: number): boolean {
  if (slot.state === "starting" || slot.running().length >= slot.places) return false;
  return [...slot.held.values()].some((held) => held.startedAt === null && now - held.handedAt > limitMs);
}

function deadlineOf(held: HeldJob): number {
  const { timeoutMs } = held.entry.policy;
  return held.startedAt === null || timeoutMs === null ? Infinity : held.startedAt + timeoutMs;
}

function shift(slot: WorkerSlot, byMs: number): void {
  for (const held of slot.held.values()) {
    if (held.startedAt !== null) held.startedAt += byMs;
    if (held.killAt !== null) held.killAt += byMs;
  }
}
