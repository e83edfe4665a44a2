import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { memoryBackend } from "../src/backends/memory/index.js";
import { commands } from "../src/cli/commands.js";
import { readScheduleOptions } from "../src/client/schedule-options.js";
import { stoppedCluster } from "../src/client/stopped-cluster.js";
import { taskOptionNames } from "../src/client/option-checks.js";
import * as clusterEntry from "../src/cluster/index.js";
import { createCluster } from "../src/cluster/supervisor.js";
import { taskByName } from "../src/core/registry.js";
import * as entry from "../src/index.js";
import * as shell from "../src/shell/index.js";
import { optionNames, plainOptions } from "../src/options/option-table.js";
import { resolveConfig } from "../src/options/resolve.js";

const page = readFileSync(join(import.meta.dirname, "../docs/from-django-q2.md"), "utf8");

interface Row {
  readonly section: string;
  readonly theirs: readonly string[];
  readonly cell: string;
  readonly note: string;
}

const rows: Row[] = page.split(/^## /m).flatMap((part) => {
  const section = part.slice(0, part.indexOf("\n"));
  const lines = part.split("\n").filter((line) => line.startsWith("| `"));
  return lines.map((line) => {
    const [, theirs = "", cell = "", note = ""] = line.split("|").map((each) => each.trim());
    return { section, theirs: namesIn(theirs), cell, note };
  });
});

/** What stands in backticks. */
function namesIn(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
}

/** Django Q2 1.11, as its source and its documentation have it. */
const theirNames: Readonly<Record<string, string>> = {
  Functions:
    "async_task async_chain async_iter schedule result result_cached fetch fetch_cached result_group result_group_cached " +
    "fetch_group fetch_group_cached count_group count_group_cached delete_group delete_group_cached delete_cached queue_size " +
    "AsyncTask Chain Iter humanize get_broker SignedPackage TimeoutException",
  "Options of a task":
    "hook group save sync cached ack_failure iter_count iter_cached chain broker cluster timeout task_name q_options",
  "Options of the configuration":
    "name cluster_name ALT_CLUSTERS workers daemonize_workers recycle max_rss timeout retry ack_failures max_attempts compress " +
    "save_limit save_limit_per guard_cycle sync queue_limit label catch_up redis django_redis iron_mq sqs orm mongo mongo_db " +
    "broker_class bulk poll cache cached scheduler error_reporter cpu_affinity time_zone log_level testing SECRET_KEY",
  Schedules:
    "schedule_type name func hook args kwargs minutes repeats next_run cron cluster intended_date_kwarg q_options Schedule.ONCE " +
    "Schedule.MINUTES Schedule.HOURLY Schedule.DAILY Schedule.WEEKLY Schedule.BIWEEKLY Schedule.MONTHLY Schedule.BIMONTHLY " +
    "Schedule.QUARTERLY Schedule.YEARLY Schedule.CRON Schedule.task Schedule.success Schedule.last_run",
  Records:
    "Task.id Task.name Task.func Task.hook Task.args Task.kwargs Task.result Task.group Task.cluster Task.started Task.stopped " +
    "Task.success Task.attempt_count Task.time_taken Task.group_result Task.group_count Task.group_delete Success Failure OrmQ",
  Signals: "pre_enqueue post_spawn pre_execute post_execute_in_worker post_execute",
  "Clusters and their status":
    "Cluster.start Cluster.stop Cluster.stat Stat.get Stat.get_all Stat.cluster_id Stat.host Stat.pid Stat.tob Stat.uptime " +
    "Stat.status Stat.workers Stat.reincarnations Stat.sentinel Stat.monitor Stat.pusher Stat.task_q_size Stat.done_q_size " +
    "Stat.timestamp Stat.empty_queues",
  Commands: "qcluster qmonitor qmemory qinfo migrate",
  Brokers:
    "brokers.orm brokers.redis_broker brokers.mongo brokers.aws_sqs brokers.ironmq Broker.enqueue Broker.dequeue " +
    "Broker.queue_size Broker.lock_size Broker.delete_queue Broker.purge_queue Broker.delete Broker.acknowledge Broker.fail " +
    "Broker.ping Broker.info Broker.set_stat Broker.get_stat Broker.get_stats Broker.list_key",
};

describe("docs/from-django-q2.md", () => {
  /** What the first word of a name stands for, such as `q` in `q.fetch`. */
  let things: Readonly<Record<string, object>>;

  beforeAll(async () => {
    const config = { name: "page", database: "memory:", secret: "a secret for this page", logLevel: "silent" } as const;
    const backend = memoryBackend();
    const q = entry.createQluster(config, { backend, env: {} });
    const cluster = { id: "c1", host: "h", pid: 1 };
    const double = entry.task("page.double", (n: number) => n * 2);
    const ignore = (): void => {};
    const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
    things = {
      q,
      record: (await q.fetch(await q.asyncTask(double.with({ sync: true }), 2)))!,
      schedule: await q.schedule("page.double", { type: "DAILY", args: [1] }),
      task: new entry.AsyncTask(q, "page.double", 1),
      chain: new entry.Chain(q),
      iter: new entry.Iter(q, "page.double"),
      status: stoppedCluster("c1", 0),
      cluster: createCluster(resolveConfig(config, { env: {} }), logger, backend),
      broker: backend.broker,
      store: backend.store,
      consumer: await backend.broker.consume({ queues: ["page"], leaseMs: 60_000, cluster }),
      Schedule: entry.Schedule,
      signals: entry.signals,
    };
  });

  it.each(Object.entries(theirNames))("has a row for every name of Django Q2: %s (P438)", (section, names) => {
    const listed = rows.filter((row) => row.section === section).flatMap(({ theirs }) => theirs);

    expect(names.split(" ").filter((name) => !listed.includes(name))).toEqual([]);
  });

  it.each(rows)("names what is there for $theirs of $section: $cell (P438)", ({ section, cell, note, theirs }) => {
    const names = namesIn(cell);
    if (names.length === 0) {
      expect(cell).toMatch(/^(not there yet|not needed)$/);
      for (const name of theirs) expect(exists(section, camel(name)), `${name} is there after all`).toBe(false);
    }
    for (const name of [...names, ...namesIn(note).filter((word) => /^[a-z]+\.\w+$/.test(word))]) {
      expect(exists(section, name), `${name} does not exist`).toBe(true);
    }
  });

  function exists(section: string, name: string): boolean {
    if (name.startsWith("new ")) return name.slice(4) in entry;
    if (name.startsWith("qluster ")) return isCommand(name.slice("qluster ".length));
    if (name.startsWith('"')) return isDatabase(`${name.slice(1, -1)}//h/1`);
    const [first = "", ...rest] = name.split(".");
    if (rest.length > 0 && first in things) return hasPath(things[first], rest);
    if (taskByName(name) !== undefined) return true;
    if (section === "Options of a task") return taskOptionNames.includes(bare(name));
    if (section === "Options of the configuration") return isOption(name);
    if (section === "Schedules") return isScheduleOption(name);
    return name in entry || name in clusterEntry || name in shell || (optionNames as readonly string[]).includes(name);
  }
});

/** `attempts: 1` → `attempts` */
function bare(name: string): string {
  return name.replace(/:.*$/s, "");
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function hasPath(thing: unknown, [name, ...rest]: readonly string[]): boolean {
  if (name === undefined) return true;
  return (
    typeof thing === "object" &&
    thing !== null &&
    name in thing &&
    hasPath((thing as Record<string, unknown>)[name], rest)
  );
}

function isOption(name: string): boolean {
  const [option = "", part] = bare(name).split(".");
  if (!(optionNames as readonly string[]).includes(option)) return false;
  return (
    part === undefined ||
    part in ((plainOptions as unknown as Record<string, { readonly fallback: object }>)[option]?.fallback ?? {})
  );
}

function isScheduleOption(name: string): boolean {
  try {
    readScheduleOptions({ [name]: undefined });
    return true;
  } catch {
    return false;
  }
}

function isDatabase(address: string): boolean {
  try {
    resolveConfig({ name: "page", database: address }, { env: {} });
    return true;
  } catch {
    return false;
  }
}

function isCommand(line: string): boolean {
  const [name = "", flag] = line.split(" ");
  const command = (commands as Readonly<Record<string, { readonly args?: object }>>)[name];
  return command !== undefined && (flag === undefined || flag.replace(/^--/, "") in (command.args ?? {}));
}
