import type { Backend, BackendOptions, OpenBackend, Schema } from "../../contracts/backend.js";
import type { Clock } from "../../contracts/clock.js";
import { Held } from "../sql/held.js";
import { redisBroker } from "./broker.js";
import { redisCache } from "./cache.js";
import { placeOf, type RedisPlace } from "./client.js";
import { Connection } from "./connection.js";
import { projectPrefix } from "./key-layout.js";
import { describeServers, lossesSentence } from "./losses.js";
import { redisOutbox } from "./outbox.js";
import { RedisProject } from "./project.js";
import { checkServers } from "./server-check.js";
import { readServers, type ServerFacts } from "./server-facts.js";
import { redisStore } from "./store.js";
import { WakeUp } from "./wake-up.js";

/** A look every so often, in milliseconds, in case a wake-up got lost. */
const safetyMs = 30_000;
/** The same with a clock that a test moves: no timer knows when it jumps. */
const manualSafetyMs = 20;

/**
 * Broker, store and cache in a Redis server or a Redis Cluster, under keys that begin with `{qluster:<project>}:`.
 *
 * @param options - `location`: a URL. `client`: a client of ioredis, or options for one, instead of it.
 */
export const openBackend: OpenBackend = async (options, clock) => {
  const { location, durability, retryMs, answerMs = 3_000 } = options;
  const place = await placeOf(location, options.client, answerMs);
  const connection = new Connection({ ...place, retryMs, answerMs });
  try {
    await connection.open();
    checkServers(await connection.call(() => readServers(place.client)), { ...place, durability });
    const project = projectOn(connection, options, clock);
    await project.run("probe", []);
    return backendOn(project, connection, place, options, clock !== undefined);
  } catch (error) {
    connection.close();
    throw error;
  }
};

function projectOn(
  connection: Connection,
  { project: name, durability, outbox, slotOf }: BackendOptions,
  clock: Clock | undefined,
): RedisProject {
  const replicas = typeof durability === "object" ? durability.replicas : 0;
  return new RedisProject({ connection, clock, prefix: projectPrefix(name, slotOf), replicas, outbox });
}

function backendOn(
  project: RedisProject,
  connection: Connection,
  { client, newReader, shown }: RedisPlace,
  { durability, outbox }: BackendOptions,
  isTestClock: boolean,
): Backend {
  const wakeUp = new WakeUp(project, newReader);
  connection.onSilence(() => wakeUp.reconnect());
  const parts = { project, wakeUp, held: new Held(), safetyMs: isTestClock ? manualSafetyMs : safetyMs };
  const now = async (): Promise<number> => (await project.run<[number]>("read", [1]))[0];
  const servers = (): Promise<ServerFacts[]> => connection.call(() => readServers(client));
  return {
    broker: redisBroker(parts, async () => `${describeServers(await servers())} at ${shown}`),
    store: redisStore(parts, now),
    cache: redisCache(project),
    schema: noTables,
    outbox: outbox === undefined ? undefined : redisOutbox(parts, outbox),
    losses: async () => lossesSentence(await servers(), durability),
    async [Symbol.asyncDispose]() {
      connection.close();
      wakeUp.end();
    },
  };
}

const noTables: Schema = {
  status: async () => ({ version: 0, wanted: 0, worksFrom: 0 }),
  migrate: async () => [],
  sql: async () => "",
};

/** Its calls wait for a network, and never block the thread. */
export const synchronous = false;
