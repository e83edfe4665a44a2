import type { Broker, BrokerCapabilities } from "../../contracts/broker.js";
import { bareTask } from "../../core/bare-task.js";
import { SqliteConsumer, type ConsumerParts } from "./consumer.js";
import { insertMessages } from "./insert-messages.js";
import { openLease } from "./lease.js";
import { listQueue } from "./queue-list.js";
import { countHeld, countWaiting, emptyQueue } from "./queue-sizes.js";

/** SQLite's own limit for one text is 1,000,000,000 bytes. */
export const maxTextBytes: number = 256 * 1024 * 1024;

/** Messages in the table `qluster_message`. */
export function sqliteBroker(parts: ConsumerParts, driverName: string): Broker {
  const { file, disk } = parts;
  return {
    capabilities: capabilities(file.wakeUp.isPushed),

    async enqueue(queue, messages) {
      if (messages.length === 0) return;
      await file.write((session) =>
        insertMessages(
          session,
          messages.map((message) => bareTask(queue, message)),
        ),
      );
      file.wakeUp.changed();
    },

    async consume(options) {
      const { seq, now } = await file.write((session) => ({ seq: openLease(session, options), now: session.now }));
      return new SqliteConsumer(seq, options, now, parts);
    },

    queueSize: (queue) => file.read((session) => countWaiting(session, queue)),
    lockSize: (queue) => file.read((session) => countHeld(session, queue)),
    list: (queue, page) => file.read((session) => listQueue(session, queue, page)),

    async purge(queue) {
      const removed = await file.write((session) => emptyQueue(session, queue, false));
      file.wakeUp.changed();
      return removed;
    },

    async deleteQueue(queue) {
      const removed = await file.write((session) => emptyQueue(session, queue, true));
      file.wakeUp.changed();
      return removed;
    },

    async ping() {
      const start = performance.now();
      disk.assertInPlace();
      await file.read((session) => session.first("SELECT count(*) AS n FROM qluster_project", []));
      return performance.now() - start;
    },

    async info() {
      const row = await file.read((session) =>
        session.first<{ version: string }>("SELECT sqlite_version() AS version", []),
      );
      return `SQLite ${row?.version ?? "?"} (${driverName}), file ${disk.path}`;
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
