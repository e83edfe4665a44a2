import type { ClusterOrder, ClusterStatus, MinuteRollup, Store, StoreCapabilities } from "../../contracts/store.js";
import { minuteOf } from "../sql/rollup.js";
import { maxTextBytes } from "./broker.js";
import { Cleaner } from "./cleaner.js";
import type { ConsumerParts } from "./consumer.js";
import { findByName } from "./find-by-name.js";
import { redisFlows } from "./flow-store.js";
import type { RedisProject } from "./project.js";
import { redisSchedules } from "./schedules.js";
import { settle, stepOf } from "./settle.js";
import { cancelTask, saveFinished } from "./store-cancel.js";
import { countMembers, dissolve, membersOf } from "./store-groups.js";
import { readAttempts, readNotes, readTasks, saveNotes } from "./store-read.js";
import { submitTasks } from "./store-submit.js";

const capabilities: StoreCapabilities = {
  atomic: true,
  synchronous: false,
  push: true,
  shared: true,
  maxResultBytes: maxTextBytes,
};

/** Tasks in values of their own, and sorted sets that say in which order they ended. */
export function redisStore(
  parts: Pick<ConsumerParts, "project" | "held" | "wakeUp">,
  now: () => Promise<number>,
): Store {
  const { project, wakeUp } = parts;
  const cleaner = new Cleaner(project);
  const clusters = (...values: (string | number)[]): Promise<unknown> => project.run("clusters", values);
  return {
    capabilities,
    schedules: redisSchedules(project, wakeUp),
    flows: redisFlows(project, now),
    submit: (tasks) => submitTasks(project, tasks),
    saveFinished: (task, settlement) => saveFinished(project, task, settlement),
    finish: (consumer, settlements) => settle(parts, consumer, settlements.map(stepOf)),
    cancel: (id, followUps = []) => cancelTask(project, id, followUps),
    get: (ids) => readTasks(project, ids, "all"),
    finished: (ids) => readTasks(project, ids, "finished"),
    findByName: (name) => findByName(project, name),
    attempts: (id) => readAttempts(project, id),
    group: (group, query) => membersOf(project, group, query),
    countGroup: (group, which, atMost) => countMembers(project, group, which, atMost),
    deleteGroup: (group, { tasks }) => dissolve(project, group, tasks),
    report: (notes) => saveNotes(project, notes),
    notes: (id) => readNotes(project, id),
    beat: async (status, ttlMs) => void (await clusters("beat", status.clusterId, ttlMs, JSON.stringify(status))),
    clusters: async () => parsed<ClusterStatus>(await clusters("clusters")),
    tell: async (clusterId, order) => void (await clusters("tell", clusterId, JSON.stringify(order))),
    inbox: async (clusterId) => parsed<ClusterOrder>(await clusters("inbox", clusterId)),
    async counts(cap) {
      const [queued = 0, running = 0, succeeded = 0, failed = 0] = await project.run<number[]>("numbers", [
        "counts",
        cap,
      ]);
      return { queued, running, succeeded, failed };
    },
    throughput: (since) => rollupsSince(project, since),
    clean: (limits) => cleaner.clean(limits),
    watch: (changed) => wakeUp.watch("store", changed),
    now,
  };
}

function parsed<T>(texts: unknown): T[] {
  return (texts as string[]).map((text) => JSON.parse(text) as T);
}

async function rollupsSince(project: RedisProject, since: number): Promise<MinuteRollup[]> {
  const texts = await project.run<string[]>("numbers", ["throughput", minuteOf(since)]);
  const rollups: MinuteRollup[] = [];
  for (let at = 0; at < texts.length; at += 5) {
    const [minute, queue = "", succeeded, failed, busyMs] = texts.slice(at, at + 5);
    const sums = { succeeded: Number(succeeded), failed: Number(failed), busyMs: Number(busyMs) };
    rollups.push({ minute: Number(minute), queue, ...sums });
  }
  return rollups.sort((a, b) => a.minute - b.minute || (a.queue < b.queue ? -1 : 1));
}
