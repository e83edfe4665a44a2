import { describe, expect, it } from "vitest";
import type { ClusterStatus } from "../contracts/store.js";
import { humanName } from "../core/ids.js";
import { countCap, type InfoFacts, isHealthy } from "./info-facts.js";
import { powerCutSentence } from "./power-cut.js";
import { infoDocument, renderInfo, upTime } from "./render-info.js";
import { plain } from "./terminal.js";

const clusterId = "60ad8d0d871b609580829700112233ff";
const now = 10_000_000;

const cluster = (given: Partial<ClusterStatus> = {}): ClusterStatus => ({
  clusterId,
  name: "shop",
  host: "web-1",
  pid: 42,
  tob: now - 3_723_000,
  timestamp: now,
  status: "Working",
  queues: ["shop", "media"],
  workers: [
    { pid: 43, state: "busy", done: 7, rssBytes: 1 },
    { pid: 44, state: "idle", done: 9, rssBytes: 1 },
  ],
  reincarnations: 3,
  taskQueueSize: 0,
  doneQueueSize: 0,
  running: [],
  tasks: [],
  isolation: "process",
  version: "0.1.0",
  rssBytes: 1,
  ...given,
});

const facts = (given: Partial<InfoFacts> = {}): InfoFacts => ({
  version: "0.1.0",
  project: "shop",
  broker: "SQLite 3.45.1, /data/shop.db",
  clusters: [cluster()],
  counts: { queued: 12, running: 1, succeeded: 2_041, failed: 3 },
  schedules: { all: 0, paused: 0, broken: 0, nextRun: null },
  throughput: { successes: 2_041, failures: 3, rate: { per: "minute", value: 1.4174 }, averageSeconds: 0.01234 },
  isolation: ["process"],
  push: true,
  powerCut: "A power cut loses nothing that was confirmed.",
  now,
  ...given,
});

const text = (given: Partial<InfoFacts> = {}): string => renderInfo(facts(given), plain).join("\n");

describe("info", () => {
  it("counts schedules, tells when the next one is due, and which want looking at (P218)", () => {
    const schedules = { all: 12, paused: 1, broken: 2, nextRun: now + 90_000 };

    expect(text({ schedules })).toContain(
      "Schedules  12, the next in 0:01:30; 1 paused; 2 broken: npx qluster schedule list",
    );
    expect(infoDocument(facts({ schedules }))).toMatchObject({ schedules: { all: 12, paused: 1, broken: 2 } });
    expect(text()).not.toContain("Schedules");
  });

  it("shows Django Q2's figures under its names (P404, P405)", () => {
    expect(text().split("\n").slice(0, 5)).toEqual([
      "Qluster 0.1.0: shop on SQLite 3.45.1, /data/shop.db",
      "",
      "Clusters             1    Workers              2    Restarts             3",
      "Queued              12    Successes        2,041    Failures             3",
      "Tasks/minute      1.42    Avg time        0.0123    Running              1",
    ]);
  });

  it("has a line for each cluster: name, state, place, queues, workers, up time (P325)", () => {
    expect(text()).toContain(
      `${humanName(clusterId)}  Working  web-1:42  [shop, media]  1 of 2 workers busy  up 1:02:03`,
    );
  });

  it("says how to start a cluster when none runs (P406)", () => {
    expect(text({ clusters: [] })).toContain("No clusters appear to be running. Start one: npx qluster cluster");
  });

  it.each([
    [{ push: true }, "Wake-ups   push: new work wakes an idle cluster"],
    [{ push: false }, "Wake-ups   poll: an idle cluster looks every 50 ms to 1 s"],
    [{ isolation: ["process"] }, "Isolation  process: any code can be stopped"],
    [{ isolation: ["thread"] }, "Isolation  thread: any code but native calls can be stopped"],
    [{ isolation: ["none"] }, "Isolation  none: only code that gives in can be stopped"],
    [{}, "Power cut  A power cut loses nothing that was confirmed."],
  ])("says in words what %j means", (given, line) => {
    expect(text(given)).toContain(line);
  });

  it("says that a count was not counted to its end", () => {
    expect(text({ counts: { queued: countCap + 1, running: 0, succeeded: 0, failed: 0 } })).toContain("100,000+");
  });

  it("has zeros, and no NaN, before the first task (P405)", () => {
    const throughput = { successes: 0, failures: 0, rate: { per: "day" as const, value: 0 }, averageSeconds: 0 };

    expect(text({ throughput })).toContain("Tasks/day         0.00    Avg time        0.0000");
  });

  it("gives programs the same in one document (P411)", () => {
    const document: unknown = JSON.parse(JSON.stringify(infoDocument(facts())));

    expect(document).toMatchObject({
      format: 1,
      project: "shop",
      healthy: true,
      clusters: [{ clusterId, humanName: humanName(clusterId), status: "Working" }],
      counts: { queued: 12, countedUpTo: countCap },
      lastDay: { successes: 2_041, tasks: { per: "minute" }, averageSeconds: 0.01234 },
      wakeUps: "push",
    });
  });
});

describe("a project is healthy (P331)", () => {
  it.each([
    [[], false],
    [["Starting"], false],
    [["Stopping"], false],
    [["Stopped"], false],
    [["Idle"], true],
    [["Working"], true],
    [["Stopping", "Idle"], true],
  ] as const)("with clusters that are %j: %s", (states, healthy) => {
    expect(isHealthy(states.map((status) => cluster({ status })))).toBe(healthy);
  });
});

describe("up time", () => {
  it.each([
    [0, "0:00:00"],
    [-5, "0:00:00"],
    [59_999, "0:00:59"],
    [3_600_000, "1:00:00"],
    [360_000_000, "100:00:00"],
  ])("of %i ms reads %s (P403)", (ms, shown) => {
    expect(upTime(ms)).toBe(shown);
  });
});

describe("what a power cut would lose", () => {
  it.each([
    [{ shared: false, durability: "process" }, /loses every task/],
    [{ shared: true, durability: "power" }, /^A power cut loses nothing/],
    [{ shared: true, durability: "process" }, /may take back the last writes.*death of any process loses nothing/],
  ] as const)("is one sentence for %j", (given, sentence) => {
    expect(powerCutSentence(given)).toMatch(sentence);
    expect(powerCutSentence(given).match(/\.( |$)/g)).toHaveLength(1);
  });
});
