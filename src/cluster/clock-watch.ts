import type { Logger } from "../contracts/logger.js";
import type { Store } from "../contracts/store.js";
import { clockSkew, skewText } from "../core/clock-skew.js";

/** How often clocks are compared, in milliseconds; the first time at the start. */
const everyMs = 60_000;

/** Says once, each time that it happens, that this machine's clock and the store's differ. Call the result to end it. */
export function startClockWatch(
  store: Pick<Store, "now">,
  logger: Logger,
  wallClock: () => number = Date.now,
): () => void {
  let differed = false;

  async function compare(): Promise<void> {
    const before = wallClock();
    const theirs = await store.now();
    const skew = clockSkew(before, theirs, wallClock());
    if (skew !== 0 && !differed) logger.warn(`${skewText(skew)} Let both follow a time server.`);
    differed = skew !== 0;
  }
  // A store that is away is told of by those who need it.
  const look = (): void => void compare().catch(() => {});
  const timer = setInterval(look, everyMs);
  look();
  return () => clearInterval(timer);
}
