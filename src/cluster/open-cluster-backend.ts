import type { Backend } from "../contracts/backend.js";
import { ConfigError, StoreUnavailableError } from "../errors.js";
import {
  backendOptions,
  isSynchronous,
  openBackendAt,
  openRoles,
  type PartOptions,
  type Role,
} from "../options/open-backend.js";
import type { DatabaseAddress, ResolvedConfig } from "../options/resolved.js";
import type { Outage } from "./outage.js";
import { openInThread } from "./store-thread.js";

/** What an opening that may take long has to know of its cluster. */
export interface Patience {
  readonly outage: Pick<Outage, "wait" | "over">;
  readonly isStopping: () => boolean;
}

/**
 * The configured technologies as a cluster uses them: each in a thread of its own where its driver blocks. Waits for a
 * server that is away; a file that cannot be used is an error at once.
 */
export async function openClusterBackend(config: ResolvedConfig, patience: Patience): Promise<Backend> {
  return await openRoles(config, async (role, address, own) => {
    const backend = await openPart(config, address, own, patience);
    if (isShared(role, backend) || config.isolation === "none") return backend;
    await backend[Symbol.asyncDispose]();
    throw new ConfigError([
      `${role}: "${address.scheme}:" is private to one process, so a cluster cannot share it with the application. ` +
        "Use sqlite:<file>, or start the cluster inside the application with the application's own store.",
    ]);
  });
}

async function openPart(
  config: ResolvedConfig,
  address: DatabaseAddress,
  own: PartOptions,
  patience: Patience,
): Promise<Backend> {
  const { scheme } = address;
  const threaded = await isSynchronous(scheme);
  // In its own thread a call may block for long; while it does, it holds up nobody but other calls to the same store.
  const blocking = threaded ? { blockMs: 1_000 } : {};
  // A silent network must not keep us away for longer than another cluster, back before us, waits for our lease.
  const answerMs = Math.max(750, Math.min(3_000, config.leaseMs / 4));
  const options = { ...backendOptions(config, address, { retryMs: 1_000, ...blocking, ...own }), answerMs };
  return threaded
    ? await openInThread(scheme, options)
    : await openWhenBack(() => openBackendAt(scheme, options), patience);
}

function isShared(role: Role, { broker, store, cache }: Backend): boolean {
  return { database: store, broker, cache }[role].capabilities.shared;
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
