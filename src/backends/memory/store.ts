import { flowAsTask } from "../../core/flow-as-task.js";
import { humanName } from "../../core/ids.js";
import type { Clock } from "../../contracts/clock.js";
import type { Store, StoreCapabilities, StoredTask, TaskCounts } from "../../contracts/store.js";
import { cancelTask } from "./cancel.js";
import { beat, giveOrder, liveClusters, takeOrders } from "./clusters.js";
import { memoryFlows } from "./flows.js";
import { dissolve, membersOf } from "./groups.js";
import { addNotes, readNotes } from "./notes.js";
import { cleanUp } from "./retention.js";
import { rollupsSince } from "./rollups.js";
import { memorySchedules } from "./schedules.js";
import { saveFinishedTask, settle } from "./settle.js";
import type { ProjectState } from "./state.js";
import { submitTasks } from "./submit.js";
import { unfinished } from "./task-states.js";

const capabilities: StoreCapabilities = {
  atomic: true,
  synchronous: false,
  push: true,
  shared: false,
  maxResultBytes: 256 * 1024 * 1024,
};

export function memoryStore(state: ProjectState, clock: Clock): Store {
  return {
    capabilities,
    schedules: memorySchedules(state, clock),
    flows: memoryFlows(state, clock),
    submit: async (tasks) => submitTasks(state, tasks, clock.now()),
    saveFinished: async (task, settlement) => saveFinishedTask(state, task, settlement, clock.now()),
    finish: async (consumer, settlements) =>
      settlements.map((settlement) => settle(state, consumer, settlement, clock.now())),
    cancel: async (id, followUps) => cancelTask(state, id, clock.now(), followUps),
    get: async (ids) => known([...new Set(ids)].map((id) => taskById(state, id, clock.now()))),
    finished: async (ids) => known([...new Set(ids)].map((id) => state.finished.get(id))),
    findByName: async (name) => newestNamed(state, name),
    attempts: async (id) => [...(state.attempts.get(id) ?? [])],
    group: async (group, { which, limit }) => membersOf(state, group, which).slice(0, limit),
    countGroup: async (group, which, atMost = Infinity) => Math.min(membersOf(state, group, which).length, atMost),
    deleteGroup: async (group, options) => dissolve(state, group, options),
    report: async (notes) => addNotes(state, notes),
    notes: async (id) => readNotes(state, id),
    beat: async (status, ttlMs) => beat(state, status, clock.now() + ttlMs),
    clusters: async () => liveClusters(state, clock.now()),
    tell: async (clusterId, order) => giveOrder(state, clusterId, order),
    inbox: async (clusterId) => takeOrders(state, clusterId),
    counts: async (cap) => countTasks(state, cap),
    throughput: async (since) => rollupsSince(state, since),
    clean: async (limits) => cleanUp(state, limits, clock.now()),
    watch: (changed) => state.bell.listen(changed),
    now: async () => clock.now(),
  };
}

function taskById(state: ProjectState, id: string, now: number): StoredTask | undefined {
  const message = state.messages.get(id);
  if (message !== undefined) return unfinished(state, message, now);
  const flow = state.flows.get(id)?.flow;
  return flow?.state === "open" ? flowAsTask(flow) : state.finished.get(id);
}

function known(tasks: readonly (StoredTask | undefined)[]): StoredTask[] {
  return tasks.filter((task) => task !== undefined);
}

function newestNamed(state: ProjectState, name: string): string | undefined {
  const all = [...state.messages.values(), ...state.finished.values()];
  const named = all.filter((task) => (task.name ?? humanName(task.id)) === name);
  return named.sort((a, b) => b.queuedAt - a.queuedAt || (a.id < b.id ? 1 : -1))[0]?.id;
}

function countTasks(state: ProjectState, cap: number): TaskCounts {
  const tasks = [...state.messages.values()].filter((message) => message.kind === "task");
  const finished = [...state.finished.values()].filter((task) => task.kind === "task");
  const count = (all: readonly unknown[]): number => Math.min(all.length, cap + 1);
  return {
    queued: count(tasks.filter((message) => message.holder === null)),
    running: count(tasks.filter((message) => message.holder !== null)),
    succeeded: count(finished.filter((task) => task.state === "succeeded")),
    failed: count(finished.filter((task) => task.state !== "succeeded")),
  };
}
