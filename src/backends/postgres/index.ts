import type { OpenBackend } from "../../contracts/backend.js";
import type { OutboxOptions } from "../../contracts/outbox.js";
import { refuseReplicas } from "../sql/refuse-replicas.js";
import { postgresBroker } from "./broker.js";
import { postgresCache } from "./cache.js";
import { Connections } from "./connections.js";
import { lossesSentence } from "./losses.js";
import { readLocation } from "./location.js";
import { postgresOutbox } from "./outbox.js";
import { ProjectDatabase } from "./project-database.js";
import { PostgresSchema } from "./schema.js";
import { postgresStore } from "./store.js";
import { PostgresWriter } from "./transactions.js";
import { WakeUp } from "./wake-up.js";

/** A look every so often, in milliseconds, in case a wake-up got lost. */
const safetyMs = 30_000;
/** The same with a clock that a test moves: no timer knows when it jumps. */
const manualSafetyMs = 20;

/**
 * Broker, store and cache in one schema of a Postgres database, version 12 or newer. Every process that opens it shares them.
 *
 * @param options - `location`: what follows `postgres:` in the address. `client`: a pool, which stays its owner's, or options for
 * one; the address then names the schema only.
 */
export const openBackend: OpenBackend = async (options, clock) => {
  refuseReplicas(options.durability, "Postgres");
  const connections = await Connections.create(readLocation(options.location), options.client, clock, options.answerMs);
  const schema = new PostgresSchema(connections);
  const wakeUp = new WakeUp(connections, () => database.number());
  const { project } = options;
  const outbox = options.outbox === undefined ? null : wholeNumbers(options.outbox);
  const database = new ProjectDatabase({ connections, schema, wakeUp, project, outbox });
  const dispose = async (): Promise<void> => {
    await wakeUp.end();
    await connections.close();
  };
  try {
    if (options.migrate) await schema.migrate();
    await (options.migrate ? schema.assertUsable() : schema.status());
  } catch (error) {
    await dispose();
    throw error;
  }
  const lookMs = clock === undefined ? safetyMs : manualSafetyMs;
  return {
    broker: postgresBroker(database, lookMs),
    store: postgresStore(database),
    cache: postgresCache(database),
    schema,
    ...(outbox === null ? {} : { outbox: postgresOutbox(database, outbox, lookMs) }),
    losses: () => lossesSentence(connections),
    transactions: new PostgresWriter(database),
    [Symbol.asyncDispose]: dispose,
  };
};

/** The columns keep whole milliseconds. */
function wholeNumbers(options: OutboxOptions): OutboxOptions {
  const { aheadMs, handMs, resendMs, missingMs } = options;
  const ceil = Math.ceil;
  return { aheadMs: ceil(aheadMs), handMs: ceil(handMs), resendMs: ceil(resendMs), missingMs: ceil(missingMs) };
}

/** Its driver waits without blocking the thread. */
export const synchronous = false;
