import { openBackend } from "../options/open-backend.js";
import type { ResolvedConfig } from "../options/resolved.js";

/** What lies in the queues that a cluster serves, seen from beside it. */
export interface Backlog extends AsyncDisposable {
  /** Waiting for a cluster, due or not. */
  readonly waiting: () => Promise<number>;
  /** Waiting, or in the hands of a cluster. */
  readonly unfinished: () => Promise<number>;
}

/** Opens a connection of its own; the cluster's lives in another thread. */
export async function openBacklog(config: ResolvedConfig): Promise<Backlog> {
  const backend = await openBackend(config);
  const { broker } = backend;
  const queues = [...config.queues.keys()];
  const sum = async (size: (queue: string) => Promise<number>): Promise<number> =>
    (await Promise.all(queues.map(size))).reduce((total, each) => total + each, 0);
  const waiting = (): Promise<number> => sum((queue) => broker.queueSize(queue));
  const held = (): Promise<number> => sum((queue) => broker.lockSize(queue));
  return {
    waiting,
    unfinished: async () => (await waiting()) + (await held()),
    [Symbol.asyncDispose]: async () => await backend[Symbol.asyncDispose](),
  };
}
