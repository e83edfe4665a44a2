import type { Broker, BrokerCapabilities } from "../../contracts/broker.js";
import { bareTask } from "../../core/bare-task.js";
import { PostgresConsumer } from "./consumer.js";
import { openLease } from "./lease.js";
import type { ProjectDatabase } from "./project-database.js";
import { listQueue } from "./queue-list.js";
import { countHeld, countWaiting, emptyQueue } from "./queue-sizes.js";
import { statement } from "./statement.js";
import { submitWith } from "./submit.js";

/** Postgres keeps up to 1 GB in a value, and needs several times as much memory on the way. */
export const maxTextBytes: number = 256 * 1024 * 1024;

const pingSql = statement("ping", "SELECT 1 AS one FROM {project} WHERE seq = $1");
const infoSql = statement("info", "SELECT current_setting('server_version') AS version WHERE $1::integer IS NOT NULL");

/** Messages in the table `qluster_message`. @param safetyMs - The longest time between two looks, in milliseconds. */
export function postgresBroker(database: ProjectDatabase, safetyMs: number): Broker {
  const emptied = async (queue: string, held: boolean): Promise<number> => {
    const removed = await emptyQueue(database, queue, held);
    database.wakeUp.changed("results");
    return removed;
  };
  return {
    get capabilities() {
      return capabilities(database.connections.canListen);
    },
    async enqueue(queue, messages) {
      await submitWith(
        database,
        messages.map((message) => bareTask(queue, message)),
      );
      database.wakeUp.changed("messages");
    },
    consume: async (options) => new PostgresConsumer(await openLease(database, options), options, database, safetyMs),
    queueSize: (queue) => countWaiting(database, queue),
    lockSize: (queue) => countHeld(database, queue),
    list: (queue, page) => listQueue(database, queue, page),
    purge: (queue) => emptied(queue, false),
    deleteQueue: (queue) => emptied(queue, true),
    async ping() {
      const start = performance.now();
      await database.first(pingSql);
      return performance.now() - start;
    },
    async info() {
      const version = (await database.first<{ version: string }>(infoSql))?.version ?? "?";
      const { place, schema } = database.connections;
      return `PostgreSQL ${version} (pg), ${place}, schema ${schema}`;
    },
  };
}

function capabilities(push: boolean): BrokerCapabilities {
  return {
    copies: false,
    priority: true,
    maxDelayMs: Number.MAX_SAFE_INTEGER,
    maxBytes: maxTextBytes,
    list: true,
    push,
    shared: true,
  };
}
