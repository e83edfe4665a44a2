import type { JobNote } from "../contracts/frames.js";
import type { Store } from "../contracts/store.js";
import type { Logger } from "../contracts/logger.js";

/** Progress and log lines are written together, at most so often, in milliseconds. */
const pauseMs = 200;

/** Passes on what running tasks say of themselves. Best effort: a line that cannot be written is dropped and logged. */
export class Notes {
  readonly #store: Pick<Store, "report">;
  readonly #logger: Logger;
  #pending: JobNote[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(store: Pick<Store, "report">, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  add(notes: readonly JobNote[]): void {
    this.#pending.push(...notes);
    this.#timer ??= setTimeout(() => void this.flush(), pauseMs);
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const notes = this.#pending.splice(0);
    if (notes.length === 0) return;
    try {
      await this.#store.report(notes);
    } catch (error) {
      this.#logger.warn(`${notes.length} progress reports and log lines of tasks were lost`, { error });
    }
  }
}
