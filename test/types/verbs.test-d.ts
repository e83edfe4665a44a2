/* oxlint-disable no-shadow, unicorn/consistent-function-scoping, typescript/no-unnecessary-type-parameters, typescript/no-unnecessary-type-arguments -- types are the subject here */
// Compiled only (`tsc -p tsconfig.test.json`): every line below `@ts-expect-error` must not compile, every other one must.
import { type } from "arktype";
import { Cluster as RedisCluster, Redis } from "ioredis";
import { Client, Pool } from "pg";
import type { PoolConfig } from "pg";
import * as v from "valibot";
import { z } from "zod";
import {
  batchOf,
  chainOf,
  createQluster,
  currentTask,
  defineConfig,
  iterOf,
  link,
  parallel,
  previous,
  ref,
  Schedule,
  scheduled,
  signals,
  task,
} from "../../src/index.js";
import type {
  AfterCommitVerbs,
  ChainId,
  FetchedTask,
  FinishedTask,
  OutgoingTask,
  Qluster,
  Task,
  TaskFailedError,
  TaskId,
  TaskRef,
  TransactionVerbs,
} from "../../src/index.js";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function is<A, B>(..._: Equal<A, B> extends true ? [] : [never]): void;

const q = createQluster(defineConfig({ name: "shop", database: "sqlite:x" }));
const { asyncTask, asyncTasks, asyncChain, asyncIter, schedule, result, fetch, resultGroup, fetchGroup } = q;

async function moderateReview(_reviewId: number) {
  return "ok" as const;
}
async function onResized(finished: FinishedTask<{ url: string }>) {
  if (finished.success) is<typeof finished.result, { url: string }>();
}
const download = task("images.download", async (_url: string) => "id");
const resize = task("images.resize", async (id: string, _width: number) => ({ url: id }), { hook: onResized });
const mail = task("n.mail", (_m: { to: string; body: { url: string } }) => {});
const checked = task("n.checked", (_id, width) => width, {
  input: z.tuple([z.string(), z.string().transform(Number)]),
});

export async function taskValues(): Promise<void> {
  const id = await asyncTask(resize, "a1", 300);
  is<typeof id, TaskId<{ url: string }>>();
  const r = await result(id);
  is<typeof r, { url: string } | undefined>();
  // @ts-expect-error a string is not a width
  await asyncTask(resize, "a1", "300");
  // @ts-expect-error an argument is missing
  await asyncTask(resize, "a1");
  // @ts-expect-error options never stand among the arguments
  await asyncTask(resize, "a1", 300, { group: "g1" });
  is<ReturnType<typeof resize>, Promise<{ url: string }>>();
  is<typeof resize.taskName, string>();
}

export async function names(): Promise<void> {
  is<Awaited<ReturnType<typeof asyncTask<"core.x">>>, TaskId<unknown>>();
  await asyncTask("core.tasks.moderateReview", 42, "anything", { at: "all" });
  const id = await asyncTask<typeof moderateReview>("core.tasks.moderateReview", 42);
  is<typeof id, TaskId<"ok">>();
  // @ts-expect-error the type argument checks the rest
  await asyncTask<typeof moderateReview>("core.tasks.moderateReview", "42");
}

export async function plainFunctions(): Promise<void> {
  await asyncTask(moderateReview, 42);
  await asyncTask(ref(moderateReview, { group: "g" }), 42);
  // @ts-expect-error ref keeps the arguments
  await asyncTask(ref(moderateReview, { group: "g" }), "42");
  const named = ref<typeof moderateReview>("other.service.moderate");
  is<typeof named, TaskRef<typeof moderateReview>>();
  const id = await asyncTask(named, 42);
  is<typeof id, TaskId<"ok">>();
  await asyncTask(ref("core.tasks.moderateReview", { hook: "core.tasks.notifyClient" }), 42);
}

export function options(): void {
  const group: string | undefined = process.env["G"];
  resize.with({ group, delay: "10s", runAt: new Date(), priority: 5, unique: "a1", timeout: null, attempts: 0 });
  resize.with({ unique: { key: "a1", while: "queued", for: "10m" }, backoff: { base: "1s", factor: 1 } });
  // @ts-expect-error did you mean group
  resize.with({ gruop: "g" });
  // @ts-expect-error not a duration
  resize.with({ delay: "5 min" });
  // @ts-expect-error not a way to hold a key
  resize.with({ unique: { key: "a1", while: "running" } });
  // @ts-expect-error did you mean attempts
  task("n.options", () => 1, { atempts: 3 });
}

export function hooks(): void {
  // @ts-expect-error the hook expects another result
  resize.with({ hook: (_finished: FinishedTask<number>) => {} });
  resize.with({ hook: (_finished: FinishedTask) => {} });
  resize.with({ hook: "core.tasks.notify" });
  const neverReturns = task("n.never", () => {
    throw new Error("always");
  });
  neverReturns.with({ hook: task("n.told", (finished: FinishedTask) => finished.func) });
  resize.with({ hook: ref("other.service.notify") });
  ref("core.tasks.moderateReview", { hook: onResized });
}

export async function many(): Promise<void> {
  const ids = await asyncTasks([link(resize, "a", 1), link(moderateReview, 2)]);
  is<typeof ids, [TaskId<{ url: string }>, TaskId<"ok">]>();
  // @ts-expect-error a link checks its arguments
  link(resize, "a", "1");
  const some = await asyncTasks(["a", "b"].map((url) => link(download, url)));
  is<typeof some, TaskId<string>[]>();
  // @ts-expect-error tasks come as links
  await asyncTasks([resize]);
}

const sum = task("n.sum", (_numbers: readonly number[]) => 1);
const two = task("n.two", (_xs: string[]) => 1);

export async function chains(): Promise<void> {
  const chain = await asyncChain([
    link(download, "u"),
    link(resize, previous(), 300),
    link(mail, { to: "x", body: previous() }),
  ]);
  const partial = await resultGroup(chain);
  is<typeof partial, [string?, { url: string }?, undefined?] | undefined>();
  const text: string = chain;
  const named = await asyncChain([link("core.prepare"), link(resize, previous(), 300)], {
    onFailure: "continue",
    group: text,
  });
  is<typeof named, ChainId<[unknown, { url: string }]>>();
  await asyncChain(["core.prepare", task("n.none", () => 1), link(sum, [previous()])]);
  await asyncChain(["a", "b"].map((url) => link(download, url)));
  // @ts-expect-error { url } is not a string
  await asyncChain([link(resize, "a", 1), link(resize, previous(), 300)]);
  // @ts-expect-error no link before
  await asyncChain([link(resize, previous(), 300)]);
  // @ts-expect-error a chain needs a link
  await asyncChain([]);
  // @ts-expect-error previous() outside a chain
  await asyncTasks([link(resize, previous(), 300)]);
  // @ts-expect-error did you mean onFailure
  await asyncChain([link(download, "u")], { onFailur: "stop" });
  // @ts-expect-error it takes an argument, and so a link
  await asyncChain([download]);
}

export async function parallels(): Promise<void> {
  const chain = await asyncChain([
    parallel([link(download, "a"), link(download, "b")]),
    link(two, previous()),
    parallel([link(sum, [previous()]), "core.other"]),
  ]);
  const results = await resultGroup(chain);
  is<typeof results, [[string, string]?, number?, [number, unknown]?] | undefined>();
  // @ts-expect-error numbers are no texts
  await asyncChain([parallel([link(sum, [1]), link(sum, [2])]), link(two, previous())]);
  // @ts-expect-error no link before
  await asyncChain([parallel([link(resize, previous(), 1)])]);
}

export async function batches(): Promise<void> {
  const batch = await q.batch("nightly", {
    size: 2,
    onComplete: (finished: FinishedTask<{ size: number }>) => finished.id,
  });
  const id = await asyncTask(resize.with({ batch }), "a", 1);
  is<typeof id, TaskId<{ url: string }>>();
  // @ts-expect-error a batch knows its size
  await q.batch("nightly", { onComplete: "core.tasks.notify" });
  // @ts-expect-error a name is no batch
  resize.with({ batch: "nightly" });
}

export async function iterables(): Promise<void> {
  const it = await asyncIter(
    resize,
    ["a"].map((id) => [id, 300]),
  );
  is<typeof it, TaskId<{ url: string }[]>>();
  const list = await result(it);
  is<typeof list, { url: string }[] | undefined>();
  await asyncIter(download, ["a"], { onProgress: (done: number) => void done, expires: "1h" });
  await asyncIter(
    download,
    (async function* () {
      yield "a";
    })(),
  );
  await asyncIter(sum, [[[1, 2]], [[3]]]);
  for await (const element of q.results(it)) {
    if (element.success) is<typeof element.result, { url: string }>();
    else is<typeof element.error, TaskFailedError>();
  }
  // @ts-expect-error [1, 2] would be two arguments
  await asyncIter(sum, [[1, 2]]);
  // @ts-expect-error resize needs two arguments
  await asyncIter(resize, ["a"]);
  // @ts-expect-error the hook is told of the list
  await asyncIter(download, ["a"], { hook: (_finished: FinishedTask<string>) => {} });
}

export async function schemas(): Promise<void> {
  const id = await asyncTask(checked, "a", "300");
  is<typeof id, TaskId<number>>();
  // @ts-expect-error the schema takes a text
  await asyncTask(checked, "a", 300);
  // @ts-expect-error the schema gives a text where the function takes a number
  task("n.bad", (_id: string, _width: number) => 1, { input: z.tuple([z.string(), z.string()]) });
  const byValibot = task("n.valibot", (id, width) => `${id}${width.toFixed()}`, {
    input: v.tuple([v.string(), v.number()]),
  });
  await asyncTask(byValibot, "a", 300);
  // @ts-expect-error valibot's schema takes a number
  await asyncTask(byValibot, "a", "300");
  const byArktype = task("n.arktype", (id, width) => `${id}${width.toFixed()}`, { input: type(["string", "number"]) });
  await asyncTask(byArktype, "a", 300);
  // @ts-expect-error arktype's schema takes a number
  await asyncTask(byArktype, "a", "300");
  await asyncTask(checked.with({ group: "g" }), "a", "300");
}

export async function reading(): Promise<void> {
  const ok = await resultGroup<typeof moderateReview>("moderation", { count: 2, wait: "1m" });
  is<typeof ok, "ok"[] | undefined>();
  const records = await fetchGroup<"ok">("moderation");
  is<typeof records, FetchedTask<"ok">[] | undefined>();
  const nothing = await result(await asyncTask(mail, { to: "a", body: { url: "b" } }));
  is<typeof nothing, undefined>();
  const record = await fetch(await asyncTask(resize, "a", 1), { wait: "5s", signal: AbortSignal.timeout(100) });
  if (record?.success === true) is<typeof record.result, { url: string }>();
  if (record?.success === false) is<typeof record.error.message, string>();
  const byName = await result("a-name");
  is<typeof byName, unknown>();
  // @ts-expect-error not a duration
  await result("a-name", { wait: "5 seconds" });
}

export async function schedules(): Promise<void> {
  const made = await schedule(resize, { type: "CRON", cron: "0 22 * * 1-5", args: ["a", 300] });
  is<typeof made, Schedule>();
  await schedule("core.tasks.report", {
    type: "DAILY",
    at: "03:00",
    timeZone: "Europe/Moscow",
    hook: "core.tasks.notify",
  });
  await schedule("core.tasks.report", { every: "45s", overlap: "queue", catchUp: "all", jitter: "5s" });
  await schedule("core.tasks.report", {
    type: Schedule.MINUTES,
    minutes: 5,
    repeats: 24,
    upsert: true,
    name: "report",
  });
  await schedule("core.tasks.remind", { nextRun: new Date() });
  await q.schedules.sync([scheduled(resize, { type: "HOURLY", name: "resize", args: ["a", 1], timeout: "5s" })]);
  // @ts-expect-error args are required
  await schedule(resize, { type: "DAILY" });
  // @ts-expect-error args follow the task
  await schedule(resize, { type: "DAILY", args: ["a", "300"] });
  // @ts-expect-error cron is required
  await schedule("x", { type: "CRON" });
  // @ts-expect-error minutes belong to MINUTES
  await schedule("x", { type: "DAILY", minutes: 5 });
  // @ts-expect-error there is no such type
  await schedule("x", { type: "DALY" });
  // @ts-expect-error not a duration
  await schedule("x", { every: "5 min" });
  // @ts-expect-error did you mean timeout
  await schedule("x", { type: "DAILY", timeot: "5s" });
  await schedule(chainOf([link(download, "u"), link(resize, previous(), 300)]), { type: "DAILY", name: "chain" });
  await q.schedules.sync([scheduled(iterOf(resize, [["a", 1]]), { type: "HOURLY", name: "iter" })]);
  await schedule(iterOf(download, new Set(["a"]), { hook: "core.tasks.done" }), { every: "1h" });
  await schedule(batchOf([link(download, "u"), link(resize, "a", 1)], { onFailure: "core.tasks.done" }), {
    every: "1h",
  });
  // @ts-expect-error { url } is not a text
  chainOf([link(resize, "a", 1), link(resize, previous(), 300)]);
  // @ts-expect-error a chain needs a link
  chainOf([]);
  // @ts-expect-error resize needs two arguments
  iterOf(resize, ["a"]);
  // @ts-expect-error the links have arguments of their own
  await schedule(chainOf([link(download, "u")]), { type: "DAILY", args: ["u"] });
  // @ts-expect-error a scheduled chain runs in a cluster
  chainOf([link(download, "u")], { sync: true });
  await q.schedules.update("resize", { until: null, overlap: null, timeout: null });
  // @ts-expect-error a type has nothing to fall back to
  await q.schedules.update("resize", { type: null });
  // @ts-expect-error a declared schedule needs a name
  scheduled("x", { type: "DAILY" });
}

export async function ids(): Promise<void> {
  const id = await asyncTask(resize, "a1", 300);
  // @ts-expect-error a string is not an id of anything in particular
  const bad: TaskId<number> = "abc";
  const anyId: TaskId = id;
  const stored: TaskId<typeof resize> = id;
  const text: string = id;
  is<[typeof bad, typeof anyId, typeof stored, typeof text], [TaskId<number>, TaskId, TaskId<typeof resize>, string]>();
}

export function configurations(): void {
  // @ts-expect-error the variable may be unset
  defineConfig({ name: "shop", database: process.env["DATABASE_URL"] });
  defineConfig({ name: "shop", database: { postgres: new Pool(), schema: "jobs" } });
  defineConfig({ name: "shop", database: { postgres: { host: "db", max: 20, password: async () => "x" } } });
  const poolConfig: PoolConfig = { keepAlive: true };
  defineConfig({ name: "shop", database: { postgres: poolConfig } });
  // @ts-expect-error the variable may be unset
  defineConfig({ name: "shop", database: { postgres: process.env["DATABASE_URL"] } });
  // @ts-expect-error did you mean schema
  defineConfig({ name: "shop", database: { postgres: new Pool(), shema: "jobs" } });
  defineConfig({ name: "shop", database: { redis: new Redis() } });
  defineConfig({ name: "shop", database: { redis: new RedisCluster([{ host: "h", port: 1 }]) } });
  defineConfig({ name: "shop", database: { redis: { nodes: [{ host: "h", port: 1 }], password: "x" } } });
  // @ts-expect-error a URL is a text by itself
  defineConfig({ name: "shop", database: { redis: "redis://h" } });
  // @ts-expect-error a single client has no connections to lend
  defineConfig({ name: "shop", database: { postgres: new Client() } });
  // @ts-expect-error did you mean concurrency
  defineConfig({ name: "shop", database: "x", concurency: 5 });
  // @ts-expect-error database is required
  defineConfig({ name: "shop" });
  // @ts-expect-error not a duration
  defineConfig({ name: "shop", database: "x", timeout: "5 min" });
  defineConfig({ name: "shop", database: "x", preset: "django-q2", retry: 60, saveLimit: 250, altClusters: { a: {} } });
  defineConfig({ name: "shop", database: "x", queues: ["a", "b"], maxRss: "512MB", retention: { successes: null } });
}

export function context(): void {
  currentTask()?.progress(1, 2);
  // @ts-expect-error outside a task there is none
  currentTask().progress(1);
  void globalThis.fetch("http://localhost", { signal: currentTask()?.signal ?? null });
  const disconnect = signals.postExecute.connect((finished) => finished.func);
  disconnect();
  signals.preEnqueue.connect((outgoing: OutgoingTask) => void outgoing.args.push(1));
  // @ts-expect-error only Qluster sends signals
  signals.preEnqueue.send();
}

export async function generics(): Promise<void> {
  const annotated: Task<(id: string, width: number) => Promise<{ url: string }>> = resize;
  const forwarded = <A extends unknown[], R>(fn: (...args: A) => R, ...args: A) => asyncTask(fn, ...args);
  const id = await forwarded(annotated, "a", 1);
  is<typeof id, TaskId<{ url: string }>>();
  is<typeof q, Qluster>();
  // @ts-expect-error verbs are not there to be replaced
  q.result = async () => undefined;
}

export async function transactions(): Promise<void> {
  const tx = {};
  const id = await q.in(tx).asyncTask(resize, "a1", 300);
  is<typeof id, TaskId<{ url: string }>>();
  const chain = await q.in(tx).asyncChain([link(resize, "a1", 300), link(resize, "a2", 300)]);
  const results = await resultGroup(chain);
  is<typeof results, [{ url: string }?, { url: string }?] | undefined>();
  const iter = await q.in(tx).asyncIter(resize, [["a1", 300]]);
  is<typeof iter, TaskId<{ url: string }[]>>();
  // @ts-expect-error a string is not a width
  await q.in(tx).asyncIter(resize, [["a1", "300"]]);
  is<ReturnType<Qluster["in"]>, TransactionVerbs>();
  const made = await q.in(tx).schedule(resize, { type: "DAILY", args: ["a", 300] });
  is<typeof made.kind, "task" | "chain" | "iter" | "batch">();
  // @ts-expect-error args are required here too
  await q.in(tx).schedule(resize, { type: "DAILY" });
  // @ts-expect-error Property 'result' does not exist on type 'TransactionVerbs'
  await q.in(tx).result(id);
  // @ts-expect-error a string is not a width
  await q.in(tx).asyncTask(resize, "a1", "300");
  // @ts-expect-error a name is no transaction
  q.in("tx");
  q.in(tx, { lockTimeout: "2s" });
  // @ts-expect-error not a duration
  q.in(tx, { lockTimeout: "soon" });
  const [first] = await q.in(tx).asyncTasks([link(resize, "a1", 300)]);
  is<typeof first, TaskId<{ url: string }>>();
  is<ReturnType<typeof q.withTransaction<Promise<number>>>, Promise<number>>();
  const later = q.afterCommit(tx);
  is<typeof later, AfterCommitVerbs>();
  await q.afterCommit().committed();
  await currentTask()?.completeIn(tx, { url: "u" });
  await currentTask()?.completeIn(tx);
}
