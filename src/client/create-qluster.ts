import type { Backend } from "../contracts/backend.js";
import type { ClusterStatus, Store, StoredTask } from "../contracts/store.js";
import { cancelTask } from "../core/cancelled-task.js";
import { isFlow } from "../core/finished-task.js";
import { keyring } from "../core/keyring.js";
import { loadTasks } from "../core/load-tasks.js";
import type { QlusterConfig } from "../options/config.js";
import { folderOfConfig } from "../options/find-config.js";
import { openBackend, openSqliteWith } from "../options/open-backend.js";
import { resolveConfig } from "../options/resolve.js";
import type { ResolvedConfig } from "../options/resolved.js";
import { CachedResults } from "./cached-results.js";
import { openBatch } from "./batches.js";
import { Chains } from "./chains.js";
import { AfterCommit } from "./after-commit.js";
import { Connection } from "./connection.js";
import { elementsOf } from "./element-stream.js";
import { FlowDesk } from "./flow-desk.js";
import { FlowReader } from "./flow-reader.js";
import { Groups } from "./groups.js";
import { Iterables } from "./iterables.js";
import { clientLogger } from "./logger.js";
import { filledText } from "./option-checks.js";
import { findFinished, resultOf, type Opener } from "./reader.js";
import type { ScheduleClient, ScheduleHost } from "./schedule-client.js";
import type { ScheduleVerbs } from "./schedule-types.js";
import { Sender } from "./sender.js";
import { statusOf } from "./status.js";
import { stoppedCluster } from "./stopped-cluster.js";
import { Transactions, type InsideVerbs, type PlainVerbs, type Scheduling } from "./transactions.js";
import type { EnqueueVerbs, FlowVerbs, GroupOptions, Qluster, ReadOptions, TransactionOptions } from "./types.js";
import { Waiters } from "./waiters.js";

/** For tests and programs that build on Qluster. */
export interface CreateOptions {
  /** A backend that is open already. It stays the caller's: `close` leaves it open. */
  readonly backend?: Backend | undefined;
  /**
   * The SQLite library with which the application opens the same file in this process: the class of `better-sqlite3`,
   * `libsql` or `node:sqlite`. Two copies of SQLite in one process do not see each other's locks, and damage a file that
   * both write to. Default: `node:sqlite` where Node has it, else `libsql`.
   */
  readonly sqlite?: (new (file: string) => object) | undefined;
  /** Where relative paths of the configuration start, when it has no `root` of its own. */
  readonly root?: string | undefined;
  /** Instead of the environment of the process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/**
 * One connection to a queue, with its verbs. Opens nothing yet: the first verb does. Relative paths of the configuration
 * start at `root`, else at the folder of the nearest `qluster.config.*` upwards from the working directory, where clusters
 * start them too.
 *
 * @throws {ConfigError} that lists everything that is wrong with the configuration.
 * @example
 * export const q = createQluster(config);
 * export const { asyncTask, asyncTasks, result, fetch, resultGroup } = q;
 */
export function createQluster(config: QlusterConfig, options: CreateOptions = {}): Qluster {
  const root = options.root ?? folderOfConfig(process.cwd());
  const resolved = resolveConfig(config, { root, env: options.env });
  const { backend, sqlite } = options;
  if (backend === undefined && sqlite !== undefined) return onBackend(resolved, () => openSqliteWith(resolved, sqlite));
  return qlusterOf(resolved, backend);
}

/** The same for a configuration that was checked already. */
export function qlusterOf(config: ResolvedConfig, backend?: Backend): Qluster {
  return onBackend(config, () => (backend === undefined ? openBackend(config) : lend(backend)));
}

function onBackend(config: ResolvedConfig, open: () => Promise<Backend>): Qluster {
  const connection = new Connection(open);
  const logger = clientLogger(config);
  const keys = onDemand(() => keyring(config.name, config.secrets));
  const store = async (): Promise<Store> => (await connection.backend()).store;
  const sender = new Sender(connection, config, logger, keys);
  const waiters = new Waiters(store);
  const opener: Opener = { keys, limits: config };
  const desk = new FlowDesk(connection, sender, config);
  const flows = flowSender(desk);
  const scheduling = schedulingOf({
    enqueue: () => sender.host,
    config,
    store,
    checkLive: (func) => sender.checkLive(func),
    warn: (text) => logger.warn(text),
  });
  const transactions = new Transactions(connection, desk, scheduling);
  const reader = new FlowReader(store, opener);
  const cached = new CachedResults(async () => (await connection.backend()).cache);
  const groups = new Groups(store, waiters, opener, cached);
  const verbs: Qluster = {
    ...enqueueVerbs(() => transactions.ambient ?? sender),
    ...transactionVerbs(transactions, (tx) => new AfterCommit(tx, sender, logger)),
    ...enqueueFlowVerbs(() => transactions.ambient ?? flows),
    ...flowVerbs(desk, reader, waiters),
    ...readVerbs({ waiters, opener, reader, cached, groups }),
    ...groupVerbs(groups),
    ...taskVerbs(connection, store, cached),
    ...clusterVerbs(store),
    ...scheduleVerbs(scheduling.load, () => transactions.ambient),
    loadTasks: async () => {
      const names = await loadTasks(config.root, config.tasks);
      sender.tasksLoaded();
      return names;
    },
    ...closing(async () => {
      connection.refuse();
      waiters.close();
      await sender.idle();
      await connection.close();
    }),
  };
  return Object.freeze(verbs);
}

type Pieces<K extends keyof Qluster> = Pick<Qluster, K>;

// The public types of these verbs are made of what the target is; inside, everything is a value to check.
function enqueueVerbs(verbs: () => PlainVerbs): EnqueueVerbs {
  return {
    asyncTask: ((target: unknown, ...args: unknown[]) => verbs().send(target, args)) as Qluster["asyncTask"],
    asyncTasks: ((links: unknown) => verbs().sendAll(links)) as Qluster["asyncTasks"],
  };
}

type FlowSender = Pick<InsideVerbs, "sendChain" | "sendIter">;

function flowSender(desk: FlowDesk): FlowSender {
  const chains = new Chains(desk);
  const iterables = new Iterables(desk);
  return {
    sendChain: (links, options) => chains.send(links, options),
    sendIter: (target, elements, options) => iterables.send(target, elements, options),
  };
}

function enqueueFlowVerbs(verbs: () => FlowSender): FlowVerbs {
  return {
    asyncChain: ((links: unknown, options?: unknown) => verbs().sendChain(links, options)) as Qluster["asyncChain"],
    asyncIter: ((target: unknown, elements: unknown, options?: unknown) =>
      verbs().sendIter(target, elements, options)) as Qluster["asyncIter"],
  };
}

function transactionVerbs(
  transactions: Transactions,
  afterCommit: (tx: object | undefined) => AfterCommit,
): Pieces<"in" | "withTransaction" | "afterCommit" | "open"> {
  return {
    in: (tx, options) => {
      const verbs = transactions.in(tx, options);
      return { ...enqueueVerbs(() => verbs), ...enqueueFlowVerbs(() => verbs), schedule: verbs.schedule };
    },
    withTransaction: ((tx: unknown, work: unknown, options?: TransactionOptions) =>
      transactions.run(tx, work, options)) as Qluster["withTransaction"],
    afterCommit: (tx) => {
      const later = afterCommit(tx);
      return { ...enqueueVerbs(() => later), committed: later.committed };
    },
    open: () => transactions.open(),
  };
}

function flowVerbs(
  desk: FlowDesk,
  reader: FlowReader,
  waiters: Waiters,
): Pieces<"batch" | "flow" | "results" | "resume"> {
  const chains = new Chains(desk);
  return {
    results: ((id: string, options: { readonly signal?: AbortSignal } = {}) =>
      elementsOf(reader, waiters, filledText(id, "id"), options.signal)) as Qluster["results"],
    batch: (name, options) => desk.sender.counted(openBatch(desk, name, options)),
    flow: async (id) => await reader.status(filledText(id, "id")),
    resume: async (id) => await chains.resume(filledText(id, "id")),
  };
}

interface ReadParts {
  readonly waiters: Waiters;
  readonly opener: Opener;
  readonly reader: FlowReader;
  readonly cached: CachedResults;
  readonly groups: Groups;
}

function readVerbs({ waiters, opener, reader, cached, groups }: ReadParts): Pieces<"result" | "fetch"> {
  const find = async (id: unknown, options: ReadOptions | undefined): Promise<StoredTask | undefined> => {
    const task = await findFinished(waiters, id, options);
    return task === undefined ? undefined : await cached.whole(task);
  };
  const result = async (id: unknown, options?: ReadOptions): Promise<unknown> => {
    const task = await find(id, options);
    if (task === undefined) return undefined;
    return isFlow(task.kind) ? await reader.resultOf(task) : resultOf(task, opener);
  };
  const fetch = async (id: unknown, options?: ReadOptions): Promise<unknown> => {
    const task = await find(id, options);
    return task === undefined ? undefined : await groups.record(task);
  };
  return { result: result as Qluster["result"], fetch: fetch as Qluster["fetch"] };
}

function groupVerbs(groups: Groups): Pieces<"resultGroup" | "fetchGroup" | "countGroup" | "deleteGroup"> {
  return {
    resultGroup: ((group: string, options?: GroupOptions) =>
      groups.results(group, options) as unknown) as Qluster["resultGroup"],
    fetchGroup: ((group: string, options?: GroupOptions) => groups.records(group, options)) as Qluster["fetchGroup"],
    countGroup: (group, options) => groups.count(group, options),
    deleteGroup: (group, options) => groups.delete(group, options),
  };
}

function taskVerbs(
  connection: Connection,
  store: () => Promise<Store>,
  cached: CachedResults,
): Pieces<"status" | "attempts" | "cancel" | "deleteCached" | "queueSize"> {
  return {
    status: async (id) => await statusOf(await store(), filledText(id, "id")),
    attempts: async (id) => await (await store()).attempts(filledText(id, "id")),
    cancel: async (id) => await cancelTask(await store(), filledText(id, "id"), Date.now()),
    deleteCached: async (id) => {
      const [task] = await (await store()).get([filledText(id, "id")]);
      return task !== undefined && (await cached.delete(task));
    },
    queueSize: async (queue) => await (await connection.backend()).broker.queueSize(queue),
  };
}

function clusterVerbs(store: () => Promise<Store>): Pieces<"clusters" | "cluster"> {
  const clusters = async (): Promise<ClusterStatus[]> => await (await store()).clusters();
  return {
    clusters,
    cluster: async (id) => {
      const wanted = filledText(id, "id");
      return (await clusters()).find(({ clusterId }) => clusterId === wanted) ?? stoppedCluster(wanted, Date.now());
    },
  };
}

/** Loaded by the first verb on schedules: an application that only enqueues pays nothing for them. */
function schedulingOf(
  host: Omit<ScheduleHost, "enqueue" | "now"> & { readonly enqueue: () => ScheduleHost["enqueue"] },
): Scheduling & { readonly load: () => Promise<ScheduleClient> } {
  let loading: Promise<ScheduleClient> | undefined;
  let loaded: ScheduleClient | undefined;
  const open = async (): Promise<ScheduleClient> => {
    const { ScheduleClient: Client } = await import("./schedule-client.js");
    return (loaded = new Client({ ...host, enqueue: host.enqueue(), now: Date.now }));
  };
  return { load: () => (loading ??= open()), loaded: () => loaded };
}

function scheduleVerbs(
  load: () => Promise<ScheduleClient>,
  ambient: () => InsideVerbs | undefined,
): Pieces<"schedule" | "schedules"> {
  const create = async (target: unknown, rule: unknown) => await (await load()).create(target, rule);
  return {
    schedule: (target: unknown, rule: unknown) => ambient()?.schedule(target, rule) ?? create(target, rule),
    schedules: Object.freeze<ScheduleVerbs>({
      get: async (...args) => await (await load()).get(...args),
      list: async (...args) => await (await load()).list(...args),
      update: async (...args) => await (await load()).update(...args),
      remove: async (...args) => await (await load()).remove(...args),
      pause: async (...args) => await (await load()).pause(...args),
      resume: async (...args) => await (await load()).resume(...args),
      runNow: async (...args) => await (await load()).runNow(...args),
      skipNext: async (...args) => await (await load()).skipNext(...args),
      preview: async (...args) => await (await load()).preview(...args),
      runs: async (...args) => await (await load()).runs(...args),
      sync: async (...args) => await (await load()).sync(...args),
    }),
  };
}

function closing(close: () => Promise<void>): Pieces<"close" | typeof Symbol.asyncDispose> {
  return { close, [Symbol.asyncDispose]: close };
}

/** Closing what was lent closes nothing. */
async function lend(backend: Backend): Promise<Backend> {
  const { broker, store, cache, schema, transactions } = backend;
  return { broker, store, cache, schema, transactions, async [Symbol.asyncDispose]() {} };
}

function onDemand<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
