import type { ClusterStatus } from "../contracts/store.js";
import { humanName } from "../core/ids.js";
import { countCap, type InfoFacts, isHealthy } from "./info-facts.js";
import { group } from "./render-bar.js";
import type { Style } from "./terminal.js";
import { wrap } from "./wrap.js";

/**
 * The summary for people. Counterpart in Django Q2: `qinfo`.
 *
 * @param columns - Of the terminal, if it is one.
 */
export function renderInfo(facts: InfoFacts, style: Style, columns?: number): string[] {
  const labelled = (label: string, text: string): string => `${label.padEnd(11)}${wrap(text, 11, columns)}`;
  return [
    style("bold", `Qluster ${facts.version}: ${facts.project} on ${facts.broker}`),
    "",
    ...grid(figures(facts), style),
    "",
    ...clusterLines(facts, style),
    "",
    ...scheduleLines(facts, style),
    labelled("Isolation", facts.isolation.map((each) => `${each}: ${isolationMeans(each)}`).join("; ")),
    labelled(
      "Wake-ups",
      facts.push ? "push: new work wakes an idle cluster" : "poll: an idle cluster looks every 50 ms to 1 s",
    ),
    labelled("Power cut", facts.powerCut),
  ];
}

/** The summary for programs: one document, whose `format` changes when a member changes its meaning. */
export function infoDocument(facts: InfoFacts): object {
  const { counts, schedules, throughput } = facts;
  return {
    format: 1,
    version: facts.version,
    project: facts.project,
    broker: facts.broker,
    healthy: isHealthy(facts.clusters),
    clusters: facts.clusters.map((cluster) => ({ ...cluster, humanName: humanName(cluster.clusterId) })),
    counts: { ...counts, countedUpTo: countCap },
    schedules: { ...schedules, nextRun: schedules.nextRun === null ? null : new Date(schedules.nextRun) },
    lastDay: {
      successes: throughput.successes,
      failures: throughput.failures,
      tasks: throughput.rate,
      averageSeconds: throughput.averageSeconds,
    },
    isolation: facts.isolation,
    wakeUps: facts.push ? "push" : "poll",
    powerCut: facts.powerCut,
  };
}

type Figure = readonly [label: string, value: string];

function figures({ clusters, counts, throughput }: InfoFacts): Figure[][] {
  const sum = (pick: (cluster: ClusterStatus) => number) => clusters.reduce((total, each) => total + pick(each), 0);
  const { rate } = throughput;
  return [
    [
      ["Clusters", group(clusters.length)],
      ["Workers", group(sum((cluster) => cluster.workers.length))],
      ["Restarts", group(sum((cluster) => cluster.reincarnations))],
    ],
    [
      ["Queued", capped(counts.queued)],
      ["Successes", capped(counts.succeeded)],
      ["Failures", capped(counts.failed)],
    ],
    [
      [`Tasks/${rate.per}`, rate.value.toFixed(2)],
      ["Avg time", throughput.averageSeconds.toFixed(4)],
      ["Running", capped(counts.running)],
    ],
  ];
}

/** Nothing where there are none. */
function scheduleLines({ schedules, now }: InfoFacts, style: Style): string[] {
  const { all, paused, broken, nextRun } = schedules;
  if (all === 0) return [];
  const next = nextRun === null ? "none is due" : `the next in ${upTime(nextRun - now)}`;
  const notes = [
    ...(paused === 0 ? [] : [style("yellow", `${capped(paused)} paused`)]),
    ...(broken === 0 ? [] : [style("red", `${capped(broken)} broken: npx qluster schedule list`)]),
  ];
  return [`Schedules  ${[`${capped(all)}, ${next}`, ...notes].join("; ")}`];
}

function capped(count: number): string {
  return count > countCap ? `${group(countCap)}+` : group(count);
}

function grid(rows: readonly Figure[][], style: Style): string[] {
  return rows.map((row) =>
    row
      .map(([label, value]) => `${style("dim", label.padEnd(13))}${value.padStart(9)}`)
      .join("    ")
      .trimEnd(),
  );
}

function clusterLines({ clusters, now }: InfoFacts, style: Style): string[] {
  if (clusters.length === 0)
    return [style("yellow", "No clusters appear to be running. Start one: npx qluster cluster")];
  return clusters.map((cluster) => {
    const busy = cluster.workers.filter((worker) => worker.state === "busy").length;
    const parts = [
      humanName(cluster.clusterId),
      style(colourOf(cluster), cluster.status),
      `${cluster.host}:${cluster.pid}`,
      `[${cluster.queues.join(", ")}]`,
      `${busy} of ${cluster.workers.length} workers busy`,
      `up ${upTime(now - cluster.tob)}`,
    ];
    return parts.join("  ");
  });
}

function colourOf({ status }: ClusterStatus): "green" | "yellow" | "red" {
  if (status === "Stopped") return "red";
  return status === "Idle" || status === "Working" ? "green" : "yellow";
}

function isolationMeans(isolation: string): string {
  if (isolation === "process") return "any code can be stopped";
  if (isolation === "thread") return "any code but native calls can be stopped";
  return "only code that gives in can be stopped";
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** `h:mm:ss`, as Django Q2 writes it. */
export function upTime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  return `${Math.floor(seconds / 3_600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
