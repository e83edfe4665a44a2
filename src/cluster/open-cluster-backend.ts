import type { Backend, BackendOptions } from "../contracts/backend.js";
import { ConfigError } from "../errors.js";
import { backendOptions, isSynchronous, openBackendAt, openRoles, type Role } from "../options/open-backend.js";
import type { DatabaseAddress, ResolvedConfig } from "../options/resolved.js";
import { openInThread } from "./store-thread.js";

/** The configured technologies as a cluster uses them: each in a thread of its own where its driver blocks. */
export async function openClusterBackend(config: ResolvedConfig): Promise<Backend> {
  return await openRoles(config, async (role, address, outbox) => {
    const backend = await openPart(config, address, outbox);
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
  outbox: Pick<BackendOptions, "outbox">,
): Promise<Backend> {
  const { scheme } = address;
  const threaded = await isSynchronous(scheme);
  // In its own thread a call may block for long; while it does, it holds up nobody but other calls to the same store.
  const blocking = threaded ? { blockMs: 1_000 } : {};
  const options = backendOptions(config, address, { retryMs: 1_000, ...blocking, ...outbox });
  return threaded ? await openInThread(scheme, options) : await openBackendAt(scheme, options);
}

function isShared(role: Role, { broker, store, cache }: Backend): boolean {
  return { database: store, broker, cache }[role].capabilities.shared;
}
