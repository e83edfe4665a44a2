import type { ScheduleCounts } from "../../contracts/schedules.js";
import type { ClusterStatus } from "../../contracts/store.js";
import { formatDuration } from "../../core/duration.js";
import { nearest } from "../../core/names.js";
import { counted } from "../counted.js";
import { isHealthy } from "../info-facts.js";
import { type Finding, note, ok, wrong } from "./finding.js";

/** A queue, and the front of what waits in it. */
export interface QueueFacts {
  readonly name: string;
  readonly waiting: number;
  /** How often each task is among those that were looked at; empty where the broker cannot show what waits. */
  readonly tasks: ReadonlyMap<string, number>;
  /** How long the oldest of them has been due, in milliseconds. */
  readonly oldestMs: number;
}

export interface WorkFacts {
  readonly clusters: readonly ClusterStatus[];
  readonly queues: readonly QueueFacts[];
  /** In queues that neither the configuration nor a cluster names. */
  readonly elsewhere: number;
  readonly schedules: ScheduleCounts;
  readonly version: string;
}

/** What is due for longer waits for more workers, not for its turn, in milliseconds. */
const longMs = 60_000;

export function workFindings(facts: WorkFacts): Finding[] {
  return [...clusterFindings(facts), ...queueFindings(facts), ...unknownTasks(facts), ...scheduleFindings(facts)];
}

function clusterFindings({ clusters, queues, elsewhere, version }: WorkFacts): Finding[] {
  const waiting = queues.reduce((sum, queue) => sum + queue.waiting, elsewhere);
  const start = "npx qluster cluster";
  if (clusters.length === 0 && waiting > 0) {
    return [
      wrong("clusters", `None runs, and ${counted(waiting, "task")} ${waiting === 1 ? "waits" : "wait"}.`, start),
    ];
  }
  if (clusters.length === 0) return [note("clusters", "None runs. Tasks wait until one does.", start)];
  if (!isHealthy(clusters)) return [wrong("clusters", `${states(clusters)}: none takes tasks.`, start)];
  const workers = clusters.reduce((sum, cluster) => sum + cluster.workers.length, 0);
  const others = [...new Set(clusters.map((cluster) => cluster.version))].filter((other) => other !== version);
  return [
    ok("clusters", `${states(clusters)}, with ${counted(workers, "worker")}`),
    ...(others.length === 0
      ? []
      : [
          note(
            "clusters",
            `Some run Qluster ${others.join(" and ")}; this is ${version}.`,
            "Restart them after an update.",
          ),
        ]),
  ];
}

function states(clusters: readonly ClusterStatus[]): string {
  const counts = new Map<string, number>();
  for (const { status } of clusters) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${count} ${status}`).join(", ");
}

function queueFindings({ queues, clusters, elsewhere }: WorkFacts): Finding[] {
  const served = new Set(clusters.flatMap((cluster) => cluster.queues));
  const findings = queues.map(({ name, waiting, oldestMs }) => {
    const about = `queue ${name}`;
    if (waiting > 0 && clusters.length > 0 && !served.has(name)) {
      const text = `${counted(waiting, "task")} ${waiting === 1 ? "waits" : "wait"}, and no cluster serves it.`;
      return wrong(about, text, `npx qluster cluster --queues ${name}`);
    }
    if (clusters.length > 0 && oldestMs > longMs) {
      const text = `${counted(waiting, "task")}; one has been due for ${formatDuration(Math.round(oldestMs / 1_000) * 1_000)}.`;
      return note(about, text, "Start more workers, or another cluster.");
    }
    return ok(
      about,
      waiting === 0 ? "Nothing waits" : `${counted(waiting, "task")} ${waiting === 1 ? "waits" : "wait"}`,
    );
  });
  if (elsewhere === 0) return findings;
  const text = `${counted(elsewhere, "task")} in queues that neither this configuration nor a cluster names.`;
  return [...findings, note("other queues", text, "Start a cluster that serves them: npx qluster cluster --queues …")];
}

/** Tasks that wait in vain: no cluster that serves their queue has them. */
function unknownTasks({ queues, clusters }: WorkFacts): Finding[] {
  return queues.flatMap(({ name, tasks }) => {
    const serving = clusters.filter((cluster) => cluster.queues.includes(name));
    if (serving.length === 0) return [];
    const known = new Set(serving.flatMap((cluster) => cluster.tasks));
    return [...tasks]
      .filter(([task]) => !known.has(task) && !task.startsWith("Math."))
      .map(([task, count]) => unknownTask(task, count, [...known]));
  });
}

function unknownTask(task: string, count: number, known: readonly string[]): Finding {
  const near = nearest(task, known);
  const hint = near === undefined ? "" : ` Is "${near}" meant?`;
  const text = `${counted(count, "task")} named "${task}" ${count === 1 ? "waits" : "wait"}, and no cluster of that queue knows the name.${hint}`;
  return wrong("tasks", text, "Restart the clusters with the code that has it, or cancel what waits.");
}

function scheduleFindings({ schedules: { all, paused, broken } }: WorkFacts): Finding[] {
  if (all === 0) return [];
  if (broken > 0) return [wrong("schedules", `${broken} of ${all} cannot run.`, "npx qluster schedule list says why.")];
  return [ok("schedules", `${all}${paused === 0 ? "" : `, ${paused} of them paused`}`)];
}
