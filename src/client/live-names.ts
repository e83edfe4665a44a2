import type { ClusterStatus } from "../contracts/store.js";
import type { Logger } from "../contracts/logger.js";
import { nearest } from "../core/names.js";

const freshMs = 5_000;

/**
 * Warns, once per name, when clusters are alive and none of them can run a task. Never refuses one: a cluster with newer
 * code may be on its way. Costs the enqueueing call nothing.
 */
export class LiveNames {
  readonly #clusters: () => Promise<ClusterStatus[]>;
  readonly #logger: Logger;
  /** When each name is worth a question again, in monotonic milliseconds. */
  readonly #askAgain = new Map<string, number>();
  #known: Promise<ReadonlySet<string>> | undefined;
  #readAt = -Infinity;

  constructor(clusters: () => Promise<ClusterStatus[]>, logger: Logger) {
    this.#clusters = clusters;
    this.#logger = logger;
  }

  check(name: string): void {
    const now = performance.now();
    if (now < (this.#askAgain.get(name) ?? 0)) return;
    this.#askAgain.set(name, now + freshMs);
    void this.#ask(name);
  }

  async #ask(name: string): Promise<void> {
    try {
      const known = await this.#names();
      // Without a cluster nobody can say; the question stays open.
      if (known.size === 0) return;
      this.#askAgain.set(name, Infinity);
      if (!known.has(name)) this.#logger.warn(warning(name, nearest(name, [...known])));
    } catch {
      // The store is away; that is for the call itself to tell.
    }
  }

  #names(): Promise<ReadonlySet<string>> {
    const now = performance.now();
    if (this.#known !== undefined && now - this.#readAt < freshMs) return this.#known;
    this.#readAt = now;
    this.#known = this.#clusters().then((clusters) => new Set(clusters.flatMap(({ tasks }) => tasks)));
    return this.#known;
  }
}

function warning(name: string, near: string | undefined): string {
  const guess = near === undefined ? "" : ` Did you mean "${near}"?`;
  return `No running cluster knows the task "${name}".${guess} It waits, for \`unknownFor\`, until one does.`;
}
