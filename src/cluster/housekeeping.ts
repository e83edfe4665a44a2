import type { Logger } from "../contracts/logger.js";
import type { RetentionLimits, Store } from "../contracts/store.js";

/** How often old tasks are removed, in milliseconds; the first time soon after the start. */
const cleaning = { firstMs: 10_000, everyMs: 60_000 } as const;

/** Removes what the retention limits say, in the background. Counterpart in Django Q2: `save_limit`, at each save. */
export function startHousekeeping(store: Pick<Store, "clean">, limits: RetentionLimits, logger: Logger): () => void {
  let timer = setTimeout(() => void clean(), cleaning.firstMs);
  let stopped = false;

  async function clean(): Promise<void> {
    try {
      const removed = await store.clean(limits);
      if (removed > 0) logger.debug(`Removed ${removed} old tasks`);
    } catch (error) {
      logger.debug("Old tasks could not be removed; trying again in a minute", { error });
    }
    if (!stopped) timer = setTimeout(() => void clean(), cleaning.everyMs);
  }

  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
