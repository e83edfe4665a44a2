import type { CancelAnswer, NewTask, Store, StoreCapabilities } from "../../contracts/store.js";
import { maxTextBytes } from "./broker.js";
import { cancelTask, saveFinishedTask } from "./cancel.js";
import { Cleaner } from "./clean.js";
import { beat, giveOrder, liveClusters, takeOrders } from "./clusters.js";
import { countTasks, rollupsSince } from "./counts.js";
import { findByName } from "./find-by-name.js";
import { finishDeliveries } from "./finish.js";
import { cancelFlow } from "./flow-cancel.js";
import { postgresFlows } from "./flow-store.js";
import { countMembers, dissolve, membersOf } from "./groups.js";
import { readNotes, saveNotes } from "./notes.js";
import type { ProjectDatabase } from "./project-database.js";
import { attemptsOf, finishedById, tasksById } from "./read.js";
import { postgresSchedules } from "./schedules.js";
import { statement } from "./statement.js";
import { submitTasks } from "./submit.js";
import { topics, type Topic } from "./wake-up.js";

const nowSql = statement("now", "SELECT {now} AS now WHERE $1::integer IS NOT NULL");

/** Tasks in the tables `qluster_message` and `qluster_task`. */
export function postgresStore(database: ProjectDatabase): Store {
  const cleaner = new Cleaner(database);
  return {
    get capabilities() {
      return capabilities(database.connections.canListen);
    },
    schedules: postgresSchedules(database),
    flows: postgresFlows(database),
    submit: (tasks) => submitTasks(database, tasks),
    finish: (consumer, settlements) => finishDeliveries(database, consumer, settlements),
    saveFinished: (task, settlement) =>
      announced(
        "results",
        database.transaction((inside) => saveFinishedTask(inside, task, settlement)),
      ),
    cancel: (id, followUps) => announced("results", cancel(database, id, followUps)),
    get: (ids) => tasksById(database, ids),
    finished: (ids) => finishedById(database, ids),
    findByName: (name) => findByName(database, name),
    attempts: (id) => attemptsOf(database, id),
    group: (group, query) => membersOf(database, group, query),
    countGroup: (group, which, atMost) => countMembers(database, group, which, atMost),
    deleteGroup: (group, { tasks }) => announced("results", dissolve(database, group, tasks)),
    report: (notes) =>
      announced(
        "results",
        database.transaction((inside) => saveNotes(inside, notes)),
      ),
    notes: (id) => readNotes(database, id),
    beat: (status, ttlMs) => beat(database, status, ttlMs),
    clusters: () => liveClusters(database),
    tell: (clusterId, order) => announced("orders", giveOrder(database, clusterId, order)),
    inbox: (clusterId) => takeOrders(database, clusterId),
    counts: (cap) => countTasks(database, cap),
    throughput: (since) => rollupsSince(database, since),
    clean: (limits) => cleaner.clean(limits),
    watch: (changed, topic) => watch(database, changed, topic),
    now: async () => (await database.first<{ now: number }>(nowSql))?.now ?? 0,
  };

  async function announced<T>(topic: Topic, written: Promise<T>): Promise<T> {
    const value = await written;
    database.wakeUp.changed(topic);
    return value;
  }
}

/** What is no task may be a flow. */
async function cancel(
  database: ProjectDatabase,
  id: string,
  followUps: readonly NewTask[] | undefined,
): Promise<CancelAnswer> {
  const answer = await database.transaction((inside) => cancelTask(inside, id, followUps));
  return answer === "unknown" ? await cancelFlow(database, id) : answer;
}

function watch(database: ProjectDatabase, changed: () => void, topic?: "results" | "orders"): () => void {
  const wanted = topic === undefined ? (Object.keys(topics) as Topic[]) : [topic];
  const stops = wanted.map((each) => database.wakeUp.listen(each, changed));
  return () => {
    for (const stop of stops) stop();
  };
}

function capabilities(push: boolean): StoreCapabilities {
  return { atomic: true, synchronous: false, push, shared: true, maxResultBytes: maxTextBytes };
}
