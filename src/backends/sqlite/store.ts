import type { Clock } from "../../contracts/clock.js";
import type { Store, StoreCapabilities } from "../../contracts/store.js";
import { maxTextBytes } from "./broker.js";
import type { DatabaseFile } from "./database-file.js";
import { sqliteFlows } from "./flow-store.js";
import { findByName } from "./find-by-name.js";
import type { ProjectFile } from "./project-file.js";
import { sqliteSchedules } from "./schedules.js";
import { cancelTask, saveFinishedTask } from "./store-cancel.js";
import { Cleaner } from "./store-clean.js";
import { beat, giveOrder, liveClusters, takeOrders } from "./store-clusters.js";
import { countTasks, rollupsSince } from "./store-counts.js";
import { finishDeliveries } from "./store-finish.js";
import { countMembers, dissolve, membersOf } from "./store-groups.js";
import { readNotes, saveNotes } from "./store-notes.js";
import { attemptsOf, finishedById, tasksById } from "./store-read.js";
import { submitTasks } from "./store-submit.js";

interface StoreParts {
  readonly file: ProjectFile;
  readonly disk: DatabaseFile;
  readonly clock: Clock;
}

/** Tasks in the tables `qluster_message` and `qluster_task`. */
export function sqliteStore({ file, disk, clock }: StoreParts): Store {
  const cleaner = new Cleaner(file);
  return {
    capabilities: capabilities(file.wakeUp.isPushed),
    flows: sqliteFlows(file),
    schedules: sqliteSchedules(file),
    async submit(tasks) {
      disk.assertInPlaceSometimes(clock.monotonic());
      return await submitTasks(file, tasks);
    },
    finish: (consumer, settlements) => finishDeliveries(file, consumer, settlements),
    saveFinished: (task, settlement) => announced(file.write((session) => saveFinishedTask(session, task, settlement))),
    cancel: (id, followUps) => announced(file.write((session) => cancelTask(session, id, followUps))),
    get: (ids) => file.read((session) => tasksById(session, ids)),
    finished: (ids) => file.read((session) => finishedById(session, ids)),
    findByName: (name) => findByName(file, name),
    attempts: (id) => file.read((session) => attemptsOf(session, id)),
    group: (group, query) => file.read((session) => membersOf(session, group, query)),
    countGroup: (group, which, atMost) => file.read((session) => countMembers(session, group, which, atMost)),
    deleteGroup: (group, { tasks }) => announced(file.write((session) => dissolve(session, group, tasks))),
    report: (notes) => announced(file.write((session) => saveNotes(session, notes))),
    notes: (id) => file.read((session) => readNotes(session, id)),
    async beat(status, ttlMs) {
      disk.assertInPlace();
      await file.write((session) => beat(session, status, ttlMs));
    },
    clusters: () => file.read(liveClusters),
    tell: (clusterId, order) => announced(file.write((session) => giveOrder(session, clusterId, order))),
    inbox: (clusterId) => takeOrders(file, clusterId),
    counts: (cap) => file.read((session) => countTasks(session, cap)),
    throughput: (since) => file.read((session) => rollupsSince(session, since)),
    clean: (limits) => cleaner.clean(limits),
    watch: (changed) => file.wakeUp.listen(changed),
    now: async () => clock.now(),
  };

  async function announced<T>(written: Promise<T>): Promise<T> {
    const value = await written;
    file.wakeUp.changed();
    return value;
  }
}

function capabilities(push: boolean): StoreCapabilities {
  return { atomic: true, synchronous: true, push, shared: true, maxResultBytes: maxTextBytes };
}
