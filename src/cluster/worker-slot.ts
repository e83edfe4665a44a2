import type { FromWorker, Job, JobReport } from "../contracts/frames.js";
import type { WorkerStatus } from "../contracts/store.js";
import type { AbortReason } from "../core/execute.js";
import type { WorkerChannel } from "./channel.js";
import { dispatchLimits } from "./dispatch.js";
import type { WorkerLoad } from "./dispatch.js";
import type { Entry } from "./entry.js";

/** A task in a worker, from the frame that carries it to the report of its end. */
export interface HeldJob {
  readonly entry: Entry;
  readonly index: number;
  /** 0 for a name that has not been seen. */
  readonly expectedMs: number;
  readonly handedAt: number;
  /** Monotonic; `null` until its mark was read. */
  startedAt: number | null;
  abort: AbortReason | null;
  /** When the worker is to be killed for it, monotonic; `Infinity` while it has not started. */
  killAt: number | null;
}

/** `doomed`: its loop turns, but a task in it does not give in; it ends when the others have. */
export type SlotState = "starting" | "ready" | "retiring" | "doomed" | "dead";

/** One worker as its supervisor sees it: what it was handed, what of that has started, and what it is good for. */
export class WorkerSlot {
  readonly name: string;
  readonly channel: WorkerChannel;
  readonly places: number;
  readonly held: Map<number, HeldJob> = new Map();
  state: SlotState = "starting";
  /** Holds a suspect. */
  exclusive = false;
  /** Is to become free for a suspect. */
  reserved = false;
  /** What runs in it takes longer than expected: nothing is to wait behind it. */
  stalled = false;
  /** Is being asked whether its loop turns. */
  probed = false;
  wantsStored = false;
  done = 0;
  #backlogMs = 0;
  #lastIndex = 0;
  #outbox: Job[] = [];
  #pings = 0;
  #pong: { readonly n: number; readonly heard: () => void } | undefined;

  constructor(name: string, places: number, channel: WorkerChannel) {
    this.name = name;
    this.places = places;
    this.channel = channel;
  }

  get load(): WorkerLoad {
    return { places: this.places, held: this.held.size, backlogMs: this.#backlogMs, stalled: this.stalled };
  }

  get open(): boolean {
    return this.state === "ready" && !this.exclusive && !this.reserved;
  }

  get freePlaces(): number {
    return this.open ? Math.max(0, this.places - this.held.size) : 0;
  }

  get status(): WorkerStatus {
    const state = this.state === "starting" ? "starting" : this.state === "ready" ? this.#busyOrIdle() : "retiring";
    return { pid: this.channel.pid, state, done: this.done, rssBytes: this.channel.rssBytes() };
  }

  #busyOrIdle(): "busy" | "idle" {
    return this.held.size > 0 ? "busy" : "idle";
  }

  /** Puts a task into the next frame; {@link WorkerSlot.send} sends it. */
  hand(entry: Entry, expectedMs: number | undefined, monotonicMs: number): void {
    const index = (this.#lastIndex += 1);
    const held = {
      entry,
      index,
      expectedMs: expectedMs ?? 0,
      handedAt: monotonicMs,
      startedAt: null,
      abort: null,
      killAt: null,
    };
    this.held.set(index, held);
    this.#backlogMs += held.expectedMs;
    const { consumer, delivery } = entry;
    const { id, queue, envelope, attempts, queuedAt, starts, receipt } = delivery;
    this.#outbox.push({ index, id, queue, envelope, attempt: attempts + 1, queuedAt, starts, consumer, receipt });
    if (this.#outbox.length >= dispatchLimits.frame) this.send();
  }

  send(): void {
    if (this.#outbox.length > 0) this.channel.send({ t: "run", jobs: this.#outbox.splice(0) });
  }

  /** What a report is about; `undefined` when it was given up on before. */
  ended({ index, startedAt }: JobReport): HeldJob | undefined {
    const held = this.release(index);
    if (held !== undefined && startedAt !== null) this.done += 1;
    return held;
  }

  /** The same of what comes back without a report. */
  release(index: number): HeldJob | undefined {
    const held = this.held.get(index);
    if (held === undefined) return undefined;
    this.held.delete(index);
    this.#backlogMs = this.held.size === 0 ? 0 : this.#backlogMs - held.expectedMs;
    return held;
  }

  /** Notes which tasks have started since the last look. */
  readMarks(): void {
    if (this.held.size === 0) return;
    for (const mark of this.channel.marks()) {
      const held = this.held.get(mark.index);
      if (held !== undefined) held.startedAt ??= mark.monotonicMs;
    }
  }

  /** Tasks that may be running right now. */
  running(): HeldJob[] {
    return [...this.held.values()].filter((held) => held.startedAt !== null);
  }

  /**
   * What a dead worker leaves, told apart by its last marks: `running` held a place, `ended` had left it without a report,
   * `unstarted` never began.
   */
  remains(): { running: HeldJob[]; ended: HeldJob[]; unstarted: HeldJob[] } {
    const marks = this.channel.marks();
    const atPlaces = new Set(marks.map((mark) => mark.index));
    const lastStarted = Math.max(0, ...atPlaces);
    this.readMarks();
    const all = [...this.held.values()];
    this.held.clear();
    return {
      running: all.filter((held) => atPlaces.has(held.index)),
      ended: all.filter((held) => !atPlaces.has(held.index) && held.index <= lastStarted),
      unstarted: all.filter((held) => held.index > lastStarted),
    };
  }

  /** What has not started yet gets its time to give in from its start on. */
  abort(held: HeldJob, reason: AbortReason, killAt: number, limitMs = 0): void {
    held.abort = reason;
    held.killAt = held.startedAt === null ? Infinity : killAt;
    this.channel.send({ t: "abort", index: held.index, reason, limitMs });
  }

  /** Whether the worker's loop turns within a time. */
  async answers(withinMs: number): Promise<boolean> {
    const n = (this.#pings += 1);
    return await new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), withinMs);
      this.#pong = {
        n,
        heard: () => {
          clearTimeout(timer);
          resolve(true);
        },
      };
      this.channel.send({ t: "ping", n });
    });
  }

  pong(frame: FromWorker & { t: "pong" }): void {
    if (this.#pong?.n === frame.n) this.#pong.heard();
  }
}
