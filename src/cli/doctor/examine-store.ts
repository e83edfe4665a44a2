import { randomUUID } from "node:crypto";
import type { Backend } from "../../contracts/backend.js";
import type { Broker } from "../../contracts/broker.js";
import type { ClusterStatus } from "../../contracts/store.js";
import { clockSkew } from "../../core/clock-skew.js";
import { readHeader } from "../../core/task-header.js";
import { openBackend } from "../../options/open-backend.js";
import type { ResolvedConfig } from "../../options/resolved.js";
import { explain } from "../explain.js";
import { powerCutSentence } from "../power-cut.js";
import { type Finding, ok, wrong } from "./finding.js";
import { clockFinding, reachFinding, schemaFinding } from "./store-findings.js";
import { type QueueFacts, workFindings } from "./work-findings.js";

/** How many waiting tasks of a queue are looked at, and how many schedules and tasks are counted. */
const looked = 500;
const countCap = 100_000;
/** Somebody waits for the answer; what does not answer so soon is down, in milliseconds. */
const retryMs = 2_000;

/** Opens the database and looks: reaches it, writes one short-lived entry of the cache, and counts. Creates no tables. */
export async function examineStore(config: ResolvedConfig, version: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  let about = "database";
  try {
    await using backend = await openBackend(config, { migrate: false, retryMs });
    const schema = schemaFinding(await backend.schema.status(), config.database.scheme === "sqlite");
    if (schema.some(({ state }) => state !== "ok")) return schema;
    findings.push(await reach(backend, config), ...schema);
    about = "writing";
    findings.push(await writing(backend), clockFinding(await aheadMs(backend)), await losses(backend, config));
    about = "work";
    findings.push(...(await work(backend, config, version)));
  } catch (error) {
    findings.push(wrong(about, explain(error).lines.join("\n")));
  }
  return findings;
}

async function reach({ broker }: Backend, config: ResolvedConfig): Promise<Finding> {
  const place = await broker.info();
  return reachFinding(config.broker === null ? "database" : "broker", place, await broker.ping());
}

async function writing({ cache }: Backend): Promise<Finding> {
  const key = `doctor:${randomUUID()}`;
  await cache.set(key, "written", 10_000);
  const read = await cache.get(key);
  await cache.delete(key);
  if (read?.value === "written") return ok("writing", "What was written could be read and deleted");
  return wrong(
    "writing",
    "What was written a moment ago is gone.",
    "Does something empty this database, or evict from it?",
  );
}

async function aheadMs({ store }: Backend): Promise<number> {
  const before = Date.now();
  const theirs = await store.now();
  return clockSkew(before, theirs, Date.now());
}

async function losses({ losses: own, store }: Backend, { durability }: ResolvedConfig): Promise<Finding> {
  return ok("power cut", (await own?.()) ?? powerCutSentence({ shared: store.capabilities.shared, durability }));
}

async function work({ store, broker }: Backend, config: ResolvedConfig, version: string): Promise<Finding[]> {
  const now = await store.now();
  const [clusters, schedules, total] = await Promise.all([
    store.clusters(),
    store.schedules.counts(countCap),
    broker.queueSize(),
  ]);
  const names = queueNames(config, clusters);
  const queues = await Promise.all(names.map((name) => queueFacts(broker, name, now)));
  const elsewhere = Math.max(0, total - queues.reduce((sum, { waiting }) => sum + waiting, 0));
  return workFindings({ clusters, queues, elsewhere, schedules, version });
}

function queueNames(config: ResolvedConfig, clusters: readonly ClusterStatus[]): string[] {
  return [...new Set([...config.queues.keys(), ...clusters.flatMap(({ queues }) => queues)])].sort();
}

async function queueFacts(broker: Broker, name: string, now: number): Promise<QueueFacts> {
  const waiting = await broker.queueSize(name);
  const listed = broker.capabilities.list && waiting > 0 ? await broker.list(name, { limit: looked }) : [];
  const tasks = new Map<string, number>();
  let oldestMs = 0;
  for (const { envelope, dueAt, held } of listed) {
    if (held) continue;
    oldestMs = Math.max(oldestMs, now - dueAt);
    const func = readHeader(envelope)?.func;
    if (func !== undefined) tasks.set(func, (tasks.get(func) ?? 0) + 1);
  }
  return { name, waiting, tasks, oldestMs };
}
