import type { Backend, BackendOptions, OpenBackend, Schema } from "../../contracts/backend.js";
import type { Clock } from "../../contracts/clock.js";
import { refuseReplicas } from "../sql/refuse-replicas.js";
import { memoryBroker } from "./broker.js";
import { memoryCache } from "./cache.js";
import { memoryOutbox } from "./outbox.js";
import { enterPlace } from "./places.js";
import { memoryStore } from "./store.js";

/**
 * Opens a backend that lives in the memory of this process: for tests, and for trying things out. `location` names the
 * place: whoever opens the same one sees the same tasks. A place is forgotten when the last backend on it is closed.
 */
export const openBackend: OpenBackend = async (options, clock) => {
  refuseReplicas(options.durability, "Memory");
  return openMemory(options, clock ?? systemClock);
};

/**
 * A memory backend for a test of your own, empty and shared with nobody.
 *
 * @param options.project - Default `"test"`.
 * @param options.clock - Default: the machine's. With `manualClock()` the test moves the time.
 */
export function memoryBackend(options: { readonly project?: string; readonly clock?: Clock } = {}): Backend {
  const { project = "test", clock = systemClock } = options;
  return openMemory({ location: `private ${++privatePlaces}`, project }, clock);
}

let privatePlaces = 0;

const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

function openMemory(options: Pick<BackendOptions, "location" | "project" | "outbox">, clock: Clock): Backend {
  const { state, leave } = enterPlace(options.location, options.project);
  const closing = new AbortController();
  const context = { state, clock, closed: closing.signal };
  if (options.outbox !== undefined) state.outbox = options.outbox;
  return {
    broker: memoryBroker(context, options.location),
    store: memoryStore(state, clock),
    cache: memoryCache(state, clock),
    schema: noTables,
    ...(options.outbox === undefined ? {} : { outbox: memoryOutbox(context, options.outbox) }),
    async [Symbol.asyncDispose]() {
      if (closing.signal.aborted) return;
      closing.abort();
      leave();
    },
  };
}

const noTables: Schema = {
  status: async () => ({ version: 0, wanted: 0, worksFrom: 0 }),
  migrate: async () => [],
  sql: async () => "",
};

/** It works in memory; no call waits for anything. */
export const synchronous = false;
