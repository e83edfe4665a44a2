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
  readonly #asked = new Set<string>();
  #known: Promise<ReadonlySet<string>> | undefined;
  #readAt = -Infinity;

  constructor(clusters: () => Promise<ClusterStatus[]>, logger: Logger) {
    this.#clusters = clusters;
    this.#logger = logger;
  }

  check(name: string): void {
    if (this.#asked.has(name)) return;
    this.#asked.add(name);
    void this.#warn(name);
  }

  async #warn(name: string): Promise<void> {
    try {
      const known = await this.#names();
      if (known.has(name)) return;
      // Without a cluster nobody can say; the question stays open.
      if (known.size === 0) return void this.#asked.delete(name);
      const near = nearest(name, [...known]);
      this.#logger.warn(
        `No running cluster knows the task "${name}".${near === undefined ? "" : ` Did you mean "${near}"?`} ` +
          "It waits, for `unknownFor`, until one does.",
      );
    } catch {
      this.#asked.delete(name);
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
