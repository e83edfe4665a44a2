import { describe, expect, it } from "vitest";
import type { ClusterStatus } from "../../contracts/store.js";
import { plain } from "../terminal.js";
import { renderFindings } from "../render-findings.js";
import { note, ok, wrong } from "./finding.js";
import { copyFinding, nodeFinding, taskFindings } from "./project-findings.js";
import { clockFinding, reachFinding, schemaFinding } from "./store-findings.js";
import { type QueueFacts, type WorkFacts, workFindings } from "./work-findings.js";

const cluster = (given: Partial<ClusterStatus> = {}): ClusterStatus => ({
  clusterId: "60ad8d0d871b609580829700112233ff",
  name: "shop",
  host: "web-1",
  pid: 42,
  tob: 0,
  timestamp: 0,
  status: "Idle",
  queues: ["shop"],
  workers: [{ pid: 43, state: "idle", done: 7, rssBytes: 1 }],
  reincarnations: 0,
  taskQueueSize: 0,
  doneQueueSize: 0,
  running: [],
  tasks: ["core.tasks.greet"],
  isolation: "process",
  version: "1.0.0",
  rssBytes: 1,
  ...given,
});

const queue = (given: Partial<QueueFacts> = {}): QueueFacts => ({
  name: "shop",
  waiting: 0,
  tasks: new Map(),
  oldestMs: 0,
  ...given,
});

const work = (given: Partial<WorkFacts> = {}): string[] => {
  const schedules = { all: 0, paused: 0, broken: 0, nextRun: null };
  const facts = { clusters: [cluster()], queues: [queue()], elsewhere: 0, schedules, version: "1.0.0", ...given };
  return workFindings(facts).map(({ state, about, text }) => `${state} ${about}: ${text}`);
};

describe("what is said of the work (P412)", () => {
  it("is well when clusters serve what waits", () => {
    expect(work({ queues: [queue({ waiting: 2, tasks: new Map([["core.tasks.greet", 2]]) })] })).toEqual([
      "ok clusters: 1 Idle, with 1 worker",
      "ok queue shop: 2 tasks wait",
    ]);
  });

  it.each<[what: string, given: Partial<WorkFacts>, said: string]>([
    ["no cluster runs", { clusters: [] }, "note clusters: None runs. Tasks wait until one does."],
    [
      "no cluster runs and something waits",
      { clusters: [], queues: [queue({ waiting: 1 })] },
      "wrong clusters: None runs, and 1 task waits.",
    ],
    [
      "all clusters are going",
      { clusters: [cluster({ status: "Stopping" }), cluster({ status: "Stopping" })] },
      "wrong clusters: 2 Stopping: none takes tasks.",
    ],
    [
      "a cluster runs other code",
      { clusters: [cluster({ version: "0.9.0" })] },
      "note clusters: Some run Qluster 0.9.0; this is 1.0.0.",
    ],
    [
      "nobody serves a queue",
      { queues: [queue({ name: "media", waiting: 3 })] },
      "wrong queue media: 3 tasks wait, and no cluster serves it.",
    ],
    [
      "a queue is behind",
      { queues: [queue({ waiting: 900, oldestMs: 125_400 })] },
      "note queue shop: 900 tasks; one has been due for 2m 5s.",
    ],
    [
      "tasks wait in a queue that nobody names",
      { elsewhere: 4 },
      "note other queues: 4 tasks in queues that neither this configuration nor a cluster names.",
    ],
    [
      "no cluster knows a task",
      { queues: [queue({ waiting: 1, tasks: new Map([["core.tasks.greeet", 1]]) })] },
      'wrong tasks: 1 task named "core.tasks.greeet" waits, and no cluster of that queue knows the name. Is "core.tasks.greet" meant?',
    ],
    [
      "schedules are broken",
      { schedules: { all: 5, paused: 1, broken: 2, nextRun: 0 } },
      "wrong schedules: 2 of 5 cannot run.",
    ],
    [
      "schedules are well",
      { schedules: { all: 5, paused: 1, broken: 0, nextRun: 0 } },
      "ok schedules: 5, 1 of them paused",
    ],
  ])("when %s", (_, given, said) => {
    expect(work(given)).toContain(said);
  });

  it("takes functions of Math for known", () => {
    expect(work({ queues: [queue({ waiting: 1, tasks: new Map([["Math.sqrt", 1]]) })] })).toHaveLength(2);
  });
});

describe("what is said of the project and its store", () => {
  it.each([
    ["20.19.0", "ok"],
    ["24.1.0", "ok"],
    ["20.18.3", "wrong"],
    ["18.20.0", "wrong"],
  ])("Node.js %s is %s", (node, state) => {
    expect(nodeFinding(node, "1.0.0").state).toBe(state);
  });

  it.each([
    [{ version: 0, wanted: 4, worksFrom: 0 }, false, ["wrong"]],
    [{ version: 3, wanted: 4, worksFrom: 1 }, false, ["wrong"]],
    [{ version: 3, wanted: 4, worksFrom: 1 }, true, ["note"]],
    [{ version: 4, wanted: 4, worksFrom: 1 }, false, ["ok"]],
    [{ version: 6, wanted: 4, worksFrom: 2 }, false, ["ok"]],
    [{ version: 6, wanted: 4, worksFrom: 5 }, true, ["wrong"]],
    [{ version: 0, wanted: 0, worksFrom: 0 }, false, []],
  ])("tables %o, made by themselves: %s", (status, embedded, states) => {
    expect(schemaFinding(status, embedded).map(({ state }) => state)).toEqual(states);
  });

  it("says how slow the store is, and how wrong the clock", () => {
    expect(clockFinding(0).state).toBe("ok");
    expect(clockFinding(-90_040)).toMatchObject({ state: "note", text: expect.stringContaining("1m 30s behind") });
    expect(reachFinding("database", "Redis 7", 180).state).toBe("note");
    expect(reachFinding("database", "Redis 7", 0.44).text).toBe("Redis 7; answers in 0.4 ms");
  });

  it("warns of a second copy of the package", () => {
    const own = { version: "1.0.0", folder: "/a/qluster" };

    expect(copyFinding(own, undefined)).toEqual([]);
    expect(copyFinding(own, own)).toEqual([]);
    expect(copyFinding(own, { version: "0.9.0", folder: "/b/qluster" })).toMatchObject([{ state: "note" }]);
  });

  it.each([
    [["t/*.ts"], ["a.b"], undefined, "ok"],
    [["t/*.ts"], [], undefined, "wrong"],
    [["t/*.ts"], [], "it throws", "wrong"],
    [[], [], undefined, "note"],
  ])("task modules %o with tasks %o and fault %s", (patterns, names, fault, state) => {
    expect(taskFindings(patterns, names, fault)).toMatchObject([{ state }]);
  });
});

it("lists findings with the next step below, several lines under each other, and sums up", () => {
  const findings = [ok("Node.js", "20.20.2"), wrong("tasks", "one\ntwo", "mend it"), note("clock", "behind")];

  expect(renderFindings(findings, plain)).toEqual([
    "ok     Node.js  20.20.2",
    "WRONG  tasks    one\n                two",
    "                -> mend it",
    "note   clock    behind",
    "",
    "1 thing wrong, 1 note.",
  ]);
  expect(renderFindings([ok("a", "b")], plain).at(-1)).toBe("All is well.");
});
