import type { ClusterStatus } from "../contracts/store.js";
import type { ClusterProgress } from "./endings.js";

export interface StopReport {
  /** Results that could not be stored: those tasks run again. */
  readonly unstored: number;
  /** Tasks that were given back, unfinished. */
  readonly released: number;
  /** Why it stopped by itself. */
  readonly error?: Error;
}

/** One running process tree that serves queues. Counterpart in Django Q2: `django_q.cluster.Cluster`. */
export interface Cluster extends AsyncDisposable {
  /** 32 hexadecimal digits; `humanName(id)` is its name in the log. */
  readonly id: string;
  /** Resolves to the process id when all workers can work. Rejects when it cannot start. */
  readonly start: () => Promise<number>;
  /**
   * Takes nothing new, lets what is in memory finish within `grace`, gives the rest back. Harmless when called twice: the
   * second call hurries.
   */
  readonly stop: () => Promise<StopReport>;
  /** Settles when the cluster has stopped, for whatever reason. */
  readonly stopped: Promise<StopReport>;
  /** Counterpart in Django Q2: `Cluster.stat`. */
  readonly stat: () => ClusterStatus;
  /** Resolves when the queues have nothing left to do within a minute, and nothing runs. */
  readonly drained: () => Promise<void>;
  readonly progress: () => ClusterProgress;
}
