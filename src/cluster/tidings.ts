import type { FailureNote, StoredNote } from "../contracts/frames.js";
import type { WorkerSlot } from "./worker-slot.js";

/** Kept at most while no worker can take them; beyond that the oldest are dropped. */
const kept = 1_000;

/** News for handlers and error reporters of the user, which run in workers: told to one that is ready, or kept until one is. */
export class Tidings {
  #stored: StoredNote[] = [];
  #failures: FailureNote[] = [];
  #turn = 0;

  addStored(finished: readonly StoredNote[]): void {
    this.#stored = [...this.#stored, ...finished].slice(-kept);
  }

  addFailure(failure: FailureNote): void {
    this.#failures = [...this.#failures, failure].slice(-kept);
  }

  tell(slots: readonly WorkerSlot[]): void {
    if (this.#stored.length > 0) {
      const slot = this.#next(slots.filter((each) => each.wantsStored));
      slot?.channel.send({ t: "stored", finished: this.#stored.splice(0) });
    }
    if (this.#failures.length > 0) {
      this.#next(slots)?.channel.send({ t: "failed", failures: this.#failures.splice(0) });
    }
  }

  /** One after the other; a worker with nothing to do before one that may be blocked. */
  #next(slots: readonly WorkerSlot[]): WorkerSlot | undefined {
    const ready = slots.filter((slot) => slot.state === "ready");
    const idle = ready.filter((slot) => slot.held.size === 0);
    const candidates = idle.length > 0 ? idle : ready;
    return candidates[(this.#turn += 1) % Math.max(1, candidates.length)];
  }
}
