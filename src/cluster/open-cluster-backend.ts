import type { Backend } from "../contracts/backend.js";
import { ConfigError, StoreUnavailableError } from "../errors.js";
import { backendOptions, isSynchronous, openBackendAt } from "../options/open-backend.js";
import type { ResolvedConfig } from "../options/resolved.js";
import type { Outage } from "./outage.js";
import { openInThread } from "./store-thread.js";

/** What an opening that may take long has to know of its cluster. */
export interface Patience {
  readonly outage: Pick<Outage, "wait" | "over">;
  readonly isStopping: () => boolean;
}

/**
 * The configured database as a cluster uses it: in a thread of its own where its driver blocks. Waits for a server that
 * is away; a file that cannot be used is an error at once.
 */
export async function openClusterBackend(config: ResolvedConfig, patience: Patience): Promise<Backend> {
  const { scheme } = config.database;
  const threaded = await isSynchronous(scheme);
  // In its own thread a call may block for long; while it does, it holds up nobody but other calls to the same store.
  const options = backendOptions(config, { retryMs: 1_000, ...(threaded ? { blockMs: 1_000 } : {}) });
  const backend = threaded
    ? await openInThread(scheme, options)
    : await openWhenBack(() => openBackendAt(scheme, options), patience);
  if (!backend.store.capabilities.shared && config.isolation !== "none") {
    await backend[Symbol.asyncDispose]();
    throw new ConfigError([
      `database: "${scheme}:" is private to one process, so a cluster cannot share it with the application. ` +
        "Use sqlite:<file>, or start the cluster inside the application with the application's own store.",
    ]);
  }
  return backend;
}

async function openWhenBack(open: () => Promise<Backend>, { outage, isStopping }: Patience): Promise<Backend> {
  for (;;) {
    try {
      const backend = await open();
      outage.over();
      return backend;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || isStopping()) throw error;
      await outage.wait(error);
    }
  }
}
