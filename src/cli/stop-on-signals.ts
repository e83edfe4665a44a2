import type { Cluster } from "../cluster/index.js";
import { formatDuration } from "../core/duration.js";
import { counted } from "./counted.js";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface SignalStop extends Disposable {
  /** A signal has come. */
  readonly asked: () => boolean;
}

export interface SignalStopOptions {
  /** Tells people what a signal does. */
  readonly say: (line: string) => void;
  /** How long running tasks may go on, in milliseconds; for the message. */
  readonly graceMs: number;
  /** Where signals come from. Default: this process. */
  readonly source?: Pick<NodeJS.EventEmitter, "on" | "off">;
}

/** The first signal stops the cluster gracefully, the second one hurries it. Disposing gives the signals back. */
export function stopOnSignals(cluster: Pick<Cluster, "stat" | "stop">, options: SignalStopOptions): SignalStop {
  const { say, graceMs, source = process } = options;
  let asked = false;
  const stop = (signal: string): void => {
    const running = cluster.stat().running.length;
    say(
      asked
        ? `${signal}: stopping at once. What runs now is given back and runs again.`
        : first(signal, running, graceMs),
    );
    asked = true;
    // How it ends is told by `stopped`.
    cluster.stop().catch(() => {});
  };
  for (const signal of signals) source.on(signal, stop);
  return {
    asked: () => asked,
    [Symbol.dispose]() {
      for (const signal of signals) source.off(signal, stop);
    },
  };
}

function first(signal: string, running: number, graceMs: number): string {
  if (running === 0) return `${signal}: stopping.`;
  const grace = formatDuration(graceMs);
  return `${signal}: stopping. ${counted(running, "running task")} may take ${grace} to finish; a second signal stops at once.`;
}
