import { availableParallelism } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../errors.js";
import { defineConfig, type QlusterConfig } from "./config.js";
import { resolveConfig, type ConfigSources } from "./resolve.js";
import type { ResolvedConfig } from "./resolved.js";

const base: QlusterConfig = { name: "shop", database: "memory:", secret: "a secret for tests only" };
const quiet: ConfigSources = { env: {}, root: "/srv/shop" };

function problemsOf(config: object, sources: ConfigSources = {}): readonly string[] {
  try {
    resolveConfig(config as QlusterConfig, { ...quiet, ...sources });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe("broker and cache", () => {
  it("are the database's part unless they are named", () => {
    const config = resolveConfig(base, quiet);

    expect([config.broker, config.cache]).toEqual([null, null]);
    expect(config.shown.get("broker")).toBe("the database");
    expect(config.sources.get("cache")).toBe("default");
  });

  it("override one role each, with the same forms as the database, from the file or the environment (P048)", () => {
    const env = { QLUSTER_CACHE: "memory:shelf" };
    const config = resolveConfig({ ...base, broker: "sqlite:data/broker.db" }, { ...quiet, env });

    expect(config.broker).toEqual({ scheme: "sqlite", location: "/srv/shop/data/broker.db" });
    expect(config.cache).toEqual({ scheme: "memory", location: "shelf" });
    expect(config.shown.get("broker")).toBe("sqlite:/srv/shop/data/broker.db");
    expect([config.sources.get("broker"), config.sources.get("cache")]).toEqual(["file", "environment"]);
  });

  it("are not apart when they name the database again", () => {
    const config = resolveConfig({ ...base, database: "sqlite:q.db", broker: "sqlite:/srv/shop/q.db" }, quiet);

    expect(config.broker).toBeNull();
  });
});

describe("defaults", () => {
  it("need no more than a name and a database (P001, P011, P012, P013)", () => {
    const config = resolveConfig({ name: "shop", database: "sqlite:data/q.db" }, quiet);

    expect(config).toMatchObject({
      clusterName: "shop",
      queues: new Map([["shop", 1]]),
      database: { scheme: "sqlite", location: "/srv/shop/data/q.db" },
      workers: availableParallelism(),
      concurrency: 1,
      isolation: "process",
      leaseMs: 15_000,
      timeoutMs: 300_000,
      killAfterMs: 3_000,
      graceMs: 30_000,
      attempts: 3,
      backoff: { baseMs: 1_000, factor: 2, maxMs: 600_000, jitter: 0.5 },
      hookOn: "final",
      recycle: 50_000,
      maxRssBytes: null,
      cpuAffinity: 0,
      queueLimit: 1_000,
      maxDeliveries: 20,
      unknownForMs: 600_000,
      maxMessageBytes: 262_144,
      maxResultBytes: 16_777_216,
      enqueueTimeoutMs: 10_000,
      maxPending: 1_000,
      retention: {
        successesMs: 604_800_000,
        failuresMs: 7_776_000_000,
        successesCount: null,
        per: null,
        groupMs: 86_400_000,
      },
      cachedMs: undefined,
      durability: "process",
      compress: false,
      encrypt: false,
      sync: false,
      save: true,
      logLevel: "info",
      logger: null,
      errorReporters: [],
      notes: [],
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it.each<[string, Partial<QlusterConfig>, Partial<ResolvedConfig>]>([
    ["0 workers are as many as processors (P017)", { workers: 0 }, { workers: availableParallelism() }],
    ["a time-out of null is none (P021)", { timeout: null }, { timeoutMs: null }],
    ["fractions of a second count (P022)", { timeout: "1.5s" }, { timeoutMs: 1_500 }],
    ["cached: true keeps results for ever (P049)", { cached: true }, { cachedMs: null }],
    ["cached: 0 is false (P049)", { cached: 0 }, { cachedMs: undefined }],
    ["cached may be a time (P049)", { cached: "10s" }, { cachedMs: 10_000 }],
    ["sizes have units", { maxRss: "512MB", maxMessage: 4_096 }, { maxRssBytes: 536_870_912, maxMessageBytes: 4_096 }],
    [
      "queues may be a list of equals",
      { queues: ["a", "b"] },
      {
        queues: new Map([
          ["a", 1],
          ["b", 1],
        ]),
      },
    ],
    [
      "queues may have weights",
      { queues: { a: 3, b: 1 } },
      {
        queues: new Map([
          ["a", 3],
          ["b", 1],
        ]),
      },
    ],
    ["several secrets are kept in their order (P057)", { secret: ["new", "old"] }, { secrets: ["new", "old"] }],
    [
      "one part of a backoff leaves the others",
      { backoff: { base: "5s" } },
      { backoff: { baseMs: 5_000, factor: 2, maxMs: 600_000, jitter: 0.5 } },
    ],
    [
      "undefined counts as not given",
      { workers: undefined, lease: undefined },
      { workers: availableParallelism(), leaseMs: 15_000 },
    ],
  ])("%s", (_, given, expected) => {
    expect(resolveConfig({ ...base, ...given }, quiet)).toMatchObject(expected);
  });
});

describe("what cannot be used", () => {
  it.each<[string, object, RegExp]>([
    [
      "an unknown option",
      { ...base, concurency: 5 },
      /^concurency: there is no such option\. Did you mean concurrency\?$/,
    ],
    [
      "an option without any likeness",
      { ...base, zzz: 5 },
      /^zzz: there is no such option\. `qluster config print` lists/,
    ],
    ["a name in snake case", { ...base, queue_limit: 5 }, /^queue_limit: .*In Qluster it is written queueLimit\.$/],
    ["Django Q2's retry", { ...base, retry: 60 }, /^retry: .*In Qluster this is lease/],
    ["Django Q2's max_attempts", { ...base, max_attempts: 3 }, /^max_attempts: .*In Qluster this is attempts\.$/],
    ["Django Q2's saveLimit", { ...base, saveLimit: 250 }, /retention\.maxSuccesses/],
    ["an option of a later version", { ...base, ironMq: {} }, /not in this version/],
    ["a misspelt broker", { ...base, broker: "sqllite:q.db" }, /^broker: .*"sqllite:".*Did you mean "sqlite:"/],
    ["an empty cache", { ...base, cache: " " }, /^cache is empty.*leave it out/],
    [
      "too few workers",
      { ...base, workers: -1 },
      /^workers: it is -1; expected a whole number from 0 to 1024 \(0: as many as processors\)/,
    ],
    ["a fraction of a worker", { ...base, workers: 1.5 }, /^workers: it is 1\.5; expected a whole number/],
    ["a number as a text", { ...base, workers: "4" }, /^workers: it is "4"; expected a whole number/],
    ["a bad duration", { ...base, lease: "15 sec" }, /^lease: it is "15 sec"; expected a duration such as "30s"/],
    ["a lease that is too short", { ...base, lease: "10ms" }, /^lease: it is "10ms"; expected .* at least 1s/],
    ["a time-out of 0", { ...base, timeout: 0 }, /^timeout: it is 0; expected a duration .* or null for no limit/],
    [
      "a word outside the list",
      { ...base, isolation: "proces" },
      /^isolation: it is "proces"; expected "process", "thread" or "none"/,
    ],
    ["yes for true", { ...base, sync: "yes" }, /^sync: it is "yes"; expected true or false/],
    ["a text for cached", { ...base, cached: "soon" }, /^cached: it is "soon"; expected true, false, or a duration/],
    ["a bad size", { ...base, maxRss: "512 megs" }, /^maxRss: it is "512 megs"; expected a size such as/],
    [
      "a jitter above 1",
      { ...base, backoff: { jitter: 2 } },
      /^backoff\.jitter: it is 2; expected a number from 0 to 1/,
    ],
    [
      "a wrong key in an object",
      { ...base, backoff: { bas: "1s" } },
      /^backoff: the option "bas" does not exist\. Did you mean base\?/,
    ],
    ["no object", { ...base, retention: "7d" }, /^retention: it is "7d"; expected an object such as/],
    ["a weight of 0", { ...base, queues: { media: 0 } }, /^queues\.media: it is 0; expected a weight/],
    [
      "a weight of 0 among other options",
      { ...base, queues: { media: { weight: 0 } } },
      /^queues\.media\.weight: it is 0; expected a weight/,
    ],
    [
      "a place of a queue that is neither",
      { ...base, queues: { media: { apart: "yes" as never } } },
      /^queues\.media\.apart: it is "yes"; expected true or false/,
    ],
    [
      "a wrong key of a queue",
      { ...base, queues: { media: { apar: true } as never } },
      /^queues\.media: the option "apar" does not exist\. A queue has weight and apart\./,
    ],
    ["no queue at all", { ...base, queues: [] }, /^queues: it is \[\]; expected queue names/],
    [
      "tasks as one text",
      { ...base, tasks: "core/**/*.ts" },
      /^tasks: it is "core\/\*\*\/\*\.ts"; expected a list of globs/,
    ],
    ["no name", { ...base, name: "" }, /^name: it is ""; expected a text of 1 to 100 characters/],
    [
      "a name that is too long (P097)",
      { ...base, name: "n".repeat(101) },
      /^name: it is "nnn.*expected a text of 1 to 100/,
    ],
    ["an empty secret", { ...base, secret: "" }, /^secret: it is ""; expected a text/],
    ["a logger without functions", { ...base, logger: {} }, /^logger: .*the functions debug, info, warn and error/],
    ["a reporter without report", { ...base, errorReporters: [{}] }, /^errorReporters: .*`report`/],
    ["an unknown preset", { ...base, preset: "celery" }, /^preset: it is "celery"; expected "django-q2"/],
    [
      "a fault in another cluster's overrides",
      { ...base, altClusters: { media: { workers: -1 } } },
      /^altClusters\.media\.workers: it is -1/,
    ],
    [
      "an unknown option of another cluster",
      { ...base, altClusters: { media: { worker: 1 } } },
      /^altClusters\.media\.worker: .*Did you mean workers\?/,
    ],
    ["a root that is no folder", { ...base, root: 5 }, /^root: it is 5; expected a folder/],
  ])("is told with path, value and advice: %s (P011)", (_, config, expected) => {
    const problems = problemsOf(config);

    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(expected);
  });

  it("is told all at once", () => {
    const problems = problemsOf({ name: "", database: "", workers: -1, lease: "x", timout: 5 });

    expect(problems).toHaveLength(5);
  });

  it("includes a value that is no configuration", () => {
    expect(problemsOf([])[0]).toMatch(/not an object; write defineConfig/);
  });

  it("includes a configuration without a name", () => {
    expect(problemsOf({ database: "memory:" })).toEqual([
      "name: it is not given; expected a text of 1 to 100 characters. Give the project a name, here or with QLUSTER_PROJECT.",
    ]);
  });
});

describe("precedence", () => {
  const file: QlusterConfig = { ...base, workers: 2, lease: "20s", timeout: "1m" };

  it("is flags, environment, file, defaults, and each value knows its source", () => {
    const config = resolveConfig(file, {
      ...quiet,
      flags: { workers: 8 },
      env: { QLUSTER_WORKERS: "4", QLUSTER_LEASE: "30s" },
    });

    expect([config.workers, config.leaseMs, config.timeoutMs, config.attempts]).toEqual([8, 30_000, 60_000, 3]);
    expect(["workers", "lease", "timeout", "attempts"].map((option) => config.sources.get(option))).toEqual([
      "flag",
      "environment",
      "file",
      "default",
    ]);
  });

  it.each<[string, Record<string, string>, Partial<ResolvedConfig>]>([
    ["QLUSTER_NAME is the cluster's name (P014)", { QLUSTER_NAME: "media" }, { name: "shop", clusterName: "media" }],
    [
      "Q_CLUSTER_NAME is read too (P014)",
      { Q_CLUSTER_NAME: "media" },
      { clusterName: "media", queues: new Map([["media", 1]]) },
    ],
    ["QLUSTER_NAME goes first", { Q_CLUSTER_NAME: "a", QLUSTER_NAME: "b" }, { clusterName: "b" }],
    ["QLUSTER_PROJECT is the project", { QLUSTER_PROJECT: "other" }, { name: "other" }],
    ["QLUSTER_SECRET holds several, separated by spaces", { QLUSTER_SECRET: "new old" }, { secrets: ["new", "old"] }],
    [
      "QLUSTER_QUEUES holds weights",
      { QLUSTER_QUEUES: "shop=3, media" },
      {
        queues: new Map([
          ["shop", 3],
          ["media", 1],
        ]),
      },
    ],
    ["QLUSTER_TIMEOUT may be null", { QLUSTER_TIMEOUT: "null" }, { timeoutMs: null }],
    ["QLUSTER_SYNC takes 1", { QLUSTER_SYNC: "1" }, { sync: true }],
    ["QLUSTER_TASKS is a list", { QLUSTER_TASKS: "a/*.ts, b/*.ts" }, { tasks: ["a/*.ts", "b/*.ts"] }],
    [
      "QLUSTER_BACKOFF is JSON",
      { QLUSTER_BACKOFF: '{"base":"2s"}' },
      { backoff: { baseMs: 2_000, factor: 2, maxMs: 600_000, jitter: 0.5 } },
    ],
    ["an empty variable counts as not set", { QLUSTER_WORKERS: "" }, { workers: 2 }],
  ])("%s", (_, env, expected) => {
    expect(resolveConfig(file, { ...quiet, env })).toMatchObject(expected);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    [
      "an empty QLUSTER_DATABASE",
      { QLUSTER_DATABASE: "" },
      /^QLUSTER_DATABASE is empty\. .*never chooses a database by itself/,
    ],
    ["an empty QLUSTER_SECRET", { QLUSTER_SECRET: " " }, /^QLUSTER_SECRET: it is ""; expected a text/],
    ["a bad number", { QLUSTER_WORKERS: "many" }, /^QLUSTER_WORKERS: it is "many"; expected a whole number/],
  ])("is no way around a check: %s", (_, env, expected) => {
    expect(problemsOf(file, { env })[0]).toMatch(expected);
  });

  it("names the flag that cannot be used", () => {
    expect(problemsOf(file, { flags: { killAfter: "x" as "1s" } })[0]).toMatch(/^--kill-after: it is "x"/);
  });

  it("tells of a variable that means nothing", () => {
    expect(resolveConfig(file, { ...quiet, env: { QLUSTER_WORKER: "4", PATH: "/bin" } }).notes).toEqual([
      "The variable QLUSTER_WORKER sets no option. Did you mean QLUSTER_WORKERS?",
    ]);
  });
});

it.each([
  ["true", null],
  ["off", undefined],
  ["10s", 10_000],
  ["250", 250],
])("cached is read from the environment: %s (P049)", (written, cachedMs) => {
  expect(resolveConfig(base, { ...quiet, env: { QLUSTER_CACHED: written } }).cachedMs).toBe(cachedMs);
});

describe("a cluster without a time-out", () => {
  it("is warned about, with its lease; a time-out above the lease is none of its business (P024)", () => {
    const notesOf = (given: Partial<QlusterConfig>) => resolveConfig({ ...base, ...given }, quiet).notes;

    expect(notesOf({ timeout: null, lease: "20s" })).toEqual([
      expect.stringMatching(/^timeout is null \(no limit\), and a lease of 20s .* Give a time-out/),
    ]);
    expect(notesOf({ timeout: "1h", lease: "20s" })).toEqual([]);
    expect(notesOf({ preset: "django-q2" })).toHaveLength(1);
  });
});

const notes = (queues: string[], flags = {}) => resolveConfig({ ...base, queues }, { ...quiet, flags }).notes;

describe("queues", () => {
  it("tell when nobody here serves tasks without a queue", () => {
    expect(notes(["media", "mail"])).toEqual([expect.stringMatching(/^queues does not name "shop"/)]);
    expect(notes(["media", "shop"])).toEqual([]);
    expect(notes(["shop"], { queues: ["media"] })).toEqual([]);
  });
});

describe("a queue that is apart", () => {
  const slotted: QlusterConfig = { ...base, database: "redis-cluster://a:7000,b:7001", secret: "s3cret" };
  const media = { media: { apart: true, weight: 2 }, shop: 1, mail: { apart: false } };
  const resolve = (given: Partial<QlusterConfig>, flags: Partial<QlusterConfig> = {}): ResolvedConfig =>
    resolveConfig({ ...slotted, ...given }, { ...quiet, flags });

  it("keeps its weight, and is shown", () => {
    const config = resolve({ queues: media });

    expect([...config.queues]).toEqual([
      ["media", 2],
      ["shop", 1],
      ["mail", 1],
    ]);
    expect(config.apartQueues).toEqual(["media"]);
    expect(config.shown.get("queues")).toBe("media=2, shop, mail; apart: media");
    expect(config.notes).toEqual([]);
  });

  it("is known to clusters that serve others, and to those whose own options declare none", () => {
    const altClusters = { slow: { queues: { mail: { apart: true } } } };

    expect(resolve({ queues: media }, { queues: { shop: 1 } }).apartQueues).toEqual(["media"]);
    expect(resolve({ queues: media, altClusters }).apartQueues).toEqual(["media", "mail"]);
    expect(resolve({ altClusters }).apartQueues).toEqual(["mail"]);
  });

  it.each<[string, Partial<QlusterConfig>, RegExp]>([
    ["a file", { database: "sqlite:q.db" }, /only a Redis Cluster has slots, and database is sqlite:/],
    [
      "one Redis",
      { database: "redis://:hidden@host" },
      /only a Redis Cluster has slots, and database is redis:\/\/:\*+@host/,
    ],
    ["a broker elsewhere", { broker: "sqlite:broker.db" }, /the broker carries all queues, sqlite:.*broker\.db/],
  ])("has no effect on %s, which a note says", (_, given, note) => {
    const config = resolve({ ...given, queues: media });

    expect(config.apartQueues).toEqual([]);
    expect(config.notes).toEqual([expect.stringMatching(/^apart: true \(media\) has no effect: /)]);
    expect(config.notes[0]).toMatch(note);
  });

  it.each<[string, object, boolean]>([
    ["a cluster client", { sendCommand() {}, evalsha() {}, nodes() {} }, true],
    ["options for one", { nodes: [{ host: "a", port: 7000 }] }, true],
    ["a client of one server", { sendCommand() {}, evalsha() {} }, false],
  ])("is looked for in %s", (_, redis, isCluster) => {
    const config = resolve({ database: { redis }, queues: media });

    expect(config.apartQueues).toEqual(isCluster ? ["media"] : []);
  });
});

describe("altClusters", () => {
  const file: QlusterConfig = {
    ...base,
    workers: 2,
    altClusters: { media: { workers: 8, timeout: "1h", name: "not this", clusterName: "nor this" } },
  };

  it.each<[string, ConfigSources, Partial<ResolvedConfig>]>([
    [
      "the cluster that the environment names",
      { env: { QLUSTER_NAME: "media" } },
      { name: "shop", clusterName: "media", workers: 8, timeoutMs: 3_600_000, attempts: 3 },
    ],
    [
      "the cluster that a flag names",
      { env: {}, flags: { clusterName: "media" } },
      { clusterName: "media", workers: 8 },
    ],
    ["no other one", { env: { QLUSTER_NAME: "mail" } }, { clusterName: "mail", workers: 2 }],
    ["not the default one", { env: {} }, { clusterName: "shop", workers: 2 }],
  ])("apply to %s (P013, P014, P015)", (_, sources, expected) => {
    expect(resolveConfig(file, { ...quiet, ...sources })).toMatchObject(expected);
  });

  it("may be absent although a name is given (P016)", () => {
    expect(resolveConfig(base, { ...quiet, env: { Q_CLUSTER_NAME: "media" } }).clusterName).toBe("media");
  });
});

const preset = (more: object = {}) => defineConfig({ ...base, preset: "django-q2", ...more });

describe('preset "django-q2"', () => {
  it("has Django Q2's values where Qluster's differ (P035)", () => {
    expect(resolveConfig(preset({ workers: 4 }), quiet)).toMatchObject({
      timeoutMs: null,
      attempts: 0,
      backoff: { baseMs: 60_000, factor: 1, maxMs: 60_000, jitter: 0 },
      retention: { successesMs: null, failuresMs: null, successesCount: 250 },
      hookOn: "attempt",
      recycle: 500,
      queueLimit: 16,
      leaseMs: 15_000,
    });
  });

  it.each<[string, object, object, RegExp]>([
    [
      "retry, in seconds (P023)",
      { retry: 90 },
      { leaseMs: 90_000, backoff: { baseMs: 90_000 } },
      /^retry became lease/,
    ],
    ["maxAttempts", { maxAttempts: 5 }, { attempts: 5 }, /^maxAttempts became attempts/],
    ["ackFailures (P026)", { ackFailures: true }, { attempts: 1 }, /^ackFailures became attempts: 1/],
    ["saveLimit", { saveLimit: 100 }, { retention: { successesCount: 100 } }, /^saveLimit became/],
    [
      "a saveLimit of 0, which keeps all (P030)",
      { saveLimit: 0 },
      { retention: { successesCount: null } },
      /^saveLimit became/,
    ],
    [
      "a negative saveLimit, which keeps none (P030)",
      { saveLimit: -1 },
      { save: false },
      /^saveLimit became save: false/,
    ],
    [
      "saveLimitPer (P031)",
      { saveLimitPer: "group" },
      { retention: { per: "group", successesCount: 250 } },
      /^saveLimitPer became/,
    ],
    ["bulk, which it ignores (P046)", { bulk: 10 }, { attempts: 0 }, /^bulk is read and ignored/],
    ["poll, which it ignores (P047)", { poll: 0.2 }, { attempts: 0 }, /^poll is read and ignored/],
    ["guardCycle, which it ignores (P032)", { guardCycle: 1 }, { attempts: 0 }, /^guardCycle is read and ignored/],
  ])("translates %s, and says so", (_, given, expected, note) => {
    const config = resolveConfig(preset({ timeout: "1m", ...given }), quiet);

    expect(config).toMatchObject(expected);
    expect(config.notes).toHaveLength(1);
    expect(config.notes[0]).toMatch(note);
  });

  it("leaves what is given in Qluster's words", () => {
    expect(resolveConfig(preset({ attempts: 7, timeout: "1m" }), quiet)).toMatchObject({
      attempts: 7,
      timeoutMs: 60_000,
    });
    expect(resolveConfig(preset(), quiet).sources.get("attempts")).toBe("preset");
  });

  it("refuses seconds where Qluster has milliseconds", () => {
    expect(problemsOf(preset({ timeout: 60 }))[0]).toMatch(/^timeout: it is 60; .*For seconds write "60s"/);
  });
});

describe("root", () => {
  it.each<[string, QlusterConfig, ConfigSources, string]>([
    ["the folder of the configuration file", base, { env: {}, configFile: "/srv/app/qluster.config.ts" }, "/srv/app"],
    [
      "the given folder",
      { ...base, root: "/elsewhere" },
      { env: {}, configFile: "/srv/app/qluster.config.ts" },
      "/elsewhere",
    ],
    [
      "relative to that file",
      { ...base, root: "server" },
      { env: {}, configFile: "/srv/app/qluster.config.ts" },
      "/srv/app/server",
    ],
    ["a file URL", { ...base, root: new URL("file:///srv/url") }, { env: {} }, "/srv/url"],
    ["the working directory", base, { env: {} }, process.cwd()],
  ])("is %s", (_, config, sources, expected) => {
    expect(resolveConfig(config, sources).root).toBe(join(expected));
  });
});
