import type { Cluster } from "../cluster/index.js";
import type { Logger } from "../contracts/logger.js";
import { formatDuration } from "../core/duration.js";
import { counted } from "./counted.js";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * The first signal stops the cluster gracefully, the second one hurries it. Disposing gives the signals back.
 *
 * @param graceMs - How long running tasks may go on, in milliseconds; for the message.
 * @param source - Where signals come from. Default: this process.
 */
export function stopOnSignals(
  cluster: Pick<Cluster, "stat" | "stop">,
  logger: Logger,
  graceMs: number,
  source: Pick<NodeJS.EventEmitter, "on" | "off"> = process,
): Disposable {
  let asked = false;
  const stop = (signal: string): void => {
    if (asked) logger.warn(`${signal}: stopping at once. Tasks that run now are given back and run again.`);
    else
      logger.info(
        `${signal}: ${counted(cluster.stat().running.length, "running task")} may take ${formatDuration(graceMs)} to finish; a second signal stops at once.`,
      );
    asked = true;
    // How it ends is told by `stopped`.
    cluster.stop().catch(() => {});
  };
  for (const signal of signals) source.on(signal, stop);
  return {
    [Symbol.dispose]() {
      for (const signal of signals) source.off(signal, stop);
    },
  };
}
