import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { chainOf, createQluster, link, previous } from "qluster";
import { type Folder, makeFolder } from "./run-cli.js";

const config = `export default {
  name: "shop",
  database: "sqlite:data/shop.db",
  tasks: ["tasks.mjs"],
  workers: 1,
  secret: "correct horse battery staple",
  backoff: { base: "10ms" },
};`;
const tasks = `
  export const add = (a, b) => a + b;
  export const fail = (message) => { throw new TypeError(message); };
  let calls = 0;
  export const second = () => { if (++calls === 1) throw new Error("busy"); return "ok"; };
  export const slow = (ms) => new Promise((resolve) => setTimeout(resolve, ms, "slept"));
`;

/** The same for a program. */
const declared = { name: "shop", secret: "correct horse battery staple" } as const;

const id = /^[0-9a-f]{32}$/;
let folder: Folder;

beforeEach(() => {
  folder = makeFolder({ "qluster.config.mjs": config, "tasks.mjs": tasks });
});
afterEach(() => folder[Symbol.dispose]());

const json = (text: string): unknown => JSON.parse(text);

describe("qluster migrate", () => {
  it("creates the tables once, and says how they stand (P374)", async () => {
    const before = await folder.run("migrate", "status");
    const first = await folder.run("migrate");
    const again = await folder.run("migrate");
    const after = await folder.run("migrate", "status", "--json");

    expect(before.stdout).toContain("There are no tables yet");
    expect(first.stdout).toMatch(/^Applied 1.* which is the newest\./);
    expect(again.stdout).not.toContain("Applied");
    expect(json(after.stdout)).toMatchObject({ format: 1, pending: 0 });
    expect([before, first, again, after].map((run) => run.code)).toEqual([0, 0, 0, 0]);
  });

  it("prints SQL that creates the tables, and changes nothing", async () => {
    const pending = await folder.run("migrate", "sql");
    await folder.run("migrate");
    const [nothing, all] = [await folder.run("migrate", "sql"), await folder.run("migrate", "sql", "--all")];

    expect(pending.stdout).toMatch(/create table/i);
    expect(nothing).toMatchObject({ code: 0, stdout: "" });
    expect(all.stdout).toBe(pending.stdout);
  });
});

describe("qluster enqueue", () => {
  it("prints the id; a drained cluster has run the task (P412, P296)", async () => {
    const { stdout, code } = await folder.run("enqueue", "tasks.add", "[1, 2]");
    const drained = await folder.run("cluster", "--drain");
    const info = await folder.run("info", "--json");

    expect([code, drained.code]).toEqual([0, 0]);
    expect(stdout.trim()).toMatch(id);
    expect(json(info.stdout)).toMatchObject({ counts: { queued: 0, succeeded: 1, failed: 0 }, clusters: [] });
  });

  it("waits for the result and prints it", async () => {
    const cluster = folder.start(["cluster"]);
    await cluster.says("running.");

    const text = await folder.run("enqueue", "tasks.add", '["a", "b"]', "--wait", "15s");
    const document = await folder.run("enqueue", "tasks.add", "[1, 2]", "--wait", "--json");
    const failed = await folder.run("enqueue", "tasks.fail", "--wait", "15s", "--", '"no such customer"');
    cluster.child.kill("SIGTERM");

    expect(text.stdout.split("\n")[1]).toBe("'ab'");
    expect(json(document.stdout)).toMatchObject({ format: 1, success: true, result: 3, attempts: 1 });
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("Failed after 3 attempts: TypeError: no such customer");
    expect((await cluster.finished).code).toBe(0);
  });

  it("says so when the result is not there in time, and that no cluster runs", async () => {
    const { code, stderr } = await folder.run("enqueue", "tasks.add", "[1, 2]", "--wait", "100ms");

    expect(code).toBe(1);
    expect(stderr).toContain("No cluster is running");
    expect(stderr).toContain("Not finished after 100ms");
  });

  it("runs the task in this process with --sync, and stores it (P084)", async () => {
    const good = await folder.run("enqueue", "tasks.add", "[1, 2]", "--sync");
    const bad = await folder.run("enqueue", "tasks.fail", '"oops"', "--sync");
    const info = await folder.run("info", "--json");

    expect(good).toMatchObject({ code: 0, stdout: expect.stringMatching(/\n3\n$/) });
    expect(bad).toMatchObject({ code: 1, stderr: expect.stringContaining("TypeError: oops") });
    expect(json(info.stdout)).toMatchObject({ counts: { succeeded: 1, failed: 1 } });
  });

  it.each([
    [["tasks.ad"], 'No task is named "tasks.ad". Did you mean "tasks.add"?'],
    [["tasks.add", "[1,"], "expected a value"],
    [["tasks.add", "1", "--delay", "soon"], "--delay"],
    [["tasks.add", "1", "--priority=500"], "from -100 to 100"],
    [["tasks.add", "1", "--hook", "tasks.fial"], 'Did you mean "tasks.fail"?'],
    [["tasks.add", "1", "--gruop", "g"], "Did you mean --group?"],
    [["tasks.add", "1", "--group", "x".repeat(101)], "100"],
    [[], "needs <task>"],
  ])("refuses %j with 2, and prints no id", async (args, message) => {
    const { code, stderr, stdout } = await folder.run("enqueue", ...args);

    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });
});

describe("qluster schedule", () => {
  it("says in words when a rule is due, without a project (P180)", async () => {
    const { stdout, code } = await folder.run("schedule", "preview", "0 3 * * *", "--tz", "Europe/Moscow");

    const [sentence, ...slots] = stdout.trim().split("\n");
    expect([sentence, code]).toEqual(["Every day at 03:00 (Europe/Moscow).", 0]);
    expect(slots).toHaveLength(5);
    expect(slots.every((line) => /^\w{3} \d{4}-\d\d-\d\d 03:00:00  \d{4}-\d\d-\d\dT00:00:00Z$/.test(line))).toBe(true);
  });

  it("makes, shows, changes, pauses, resumes, runs and removes a schedule (P175, P189, P195, P221)", async () => {
    const rule = ["--cron", "0 22 * * 1-5", "--tz", "Europe/Moscow", "--name", "cleanup", "--repeats=5"];
    const added = await folder.run("schedule", "add", "tasks.add", "[1, 2]", ...rule);
    const edited = await folder.run("schedule", "edit", "cleanup", "[3, 4]", "--cron", "0 23 * * *");
    const paused = await folder.run("schedule", "pause", "cleanup");
    const list = await folder.run("schedule", "list");
    const info = await folder.run("info");
    const resumed = await folder.run("schedule", "resume", "cleanup");
    const ran = await folder.run("schedule", "run", "cleanup");
    const document = await folder.run("schedule", "list", "--json");
    const removed = [await folder.run("schedule", "rm", "cleanup"), await folder.run("schedule", "rm", "cleanup")];

    expect([added.stdout, added.code]).toEqual(["cleanup\n", 0]);
    expect(added.stderr).toContain("At 22:00 on Monday to Friday (Europe/Moscow). Next: ");
    expect(edited.stderr).toContain("Every day at 23:00 (Europe/Moscow).");
    expect(paused.stdout).toBe("Paused cleanup.\n");
    expect(list.stdout).toMatch(
      /^cleanup {2}tasks\.add {2}\[paused, 5 left\]\n {2}Every day at 23:00 \(Europe\/Moscow\)\.\n {2}Next: .*, when it is resumed\n$/,
    );
    expect(info.stdout).toContain("Schedules  1, none is due; 1 paused");
    expect(resumed.stdout).toMatch(/^Resumed cleanup\. Next: \w{3} .* 23:00:00 \(Europe\/Moscow\)\.\n$/);
    expect(ran.stdout.trim()).toMatch(id);
    expect(json(document.stdout)).toMatchObject({
      format: 1,
      schedules: [
        { name: "cleanup", func: "tasks.add", args: [3, 4], repeats: 5, lastRun: { state: "queued", manual: true } },
      ],
    });
    expect(removed.map(({ code }) => code)).toEqual([0, 1]);
  }, 90_000);

  it("shows, previews, changes and runs what opens a chain (P189, P200)", async () => {
    const q = createQluster({ ...declared, database: `sqlite:${join(folder.path, "data/shop.db")}` }, { env: {} });
    const links = chainOf([link("tasks.add", 1, 2), link("tasks.add", previous(), 10)]);
    await folder.run("migrate");
    await q.schedule(links, { type: "DAILY", at: "03:00", name: "sums", until: new Date("2099-01-01T00:00Z") });

    const list = await folder.run("schedule", "list");
    const preview = await folder.run("schedule", "preview", "sums", "--count", "1");
    const edited = await folder.run("schedule", "edit", "sums", "--at", "04:00", "--clear", "until");
    const refused = await folder.run("schedule", "edit", "sums", "[1]");
    const ran = await folder.run("schedule", "run", "sums");
    await folder.run("cluster", "--drain");
    const document = await folder.run("schedule", "list", "--json");
    await q.close();

    expect(list.stdout).toMatch(
      /^sums {2}chain tasks\.add → tasks\.add\n {2}Every day at 03:00, until 2099.*\n {2}Next: /,
    );
    expect(preview.stdout).toMatch(/^chain tasks\.add → tasks\.add\. Every day at 03:00, until/);
    expect([edited.code, edited.stderr]).toEqual([0, expect.stringContaining("Every day at 04:00 (UTC). Next: ")]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("arguments of its own")]);
    expect(json(document.stdout)).toMatchObject({
      schedules: [
        {
          name: "sums",
          kind: "chain",
          funcs: ["tasks.add", "tasks.add"],
          args: [
            [1, 2],
            ["previous()", 10],
          ],
          lastTask: ran.stdout.trim(),
          lastRun: { taskId: ran.stdout.trim(), state: "succeeded" },
        },
      ],
    });
  }, 90_000);

  it("clears options (P189, P195)", async () => {
    const until = ["--until", "2099-01-01T00:00Z", "--overlap", "skip", "--tz", "Europe/Moscow"];
    await folder.run("schedule", "add", "tasks.add", "[1, 2]", "--every", "1h", "--name", "hourly", ...until);

    const cleared = await folder.run("schedule", "edit", "hourly", "--clear", "until,overlap,tz", "--json");

    expect(json(cleared.stdout)).toMatchObject({ schedule: { overlap: "allow", timeZone: "UTC", args: [1, 2] } });
    expect(cleared.stdout).not.toContain("until");
    expect((await folder.run("schedule", "edit", "hourly", "--clear", "utnil")).stderr).toContain(
      "Did you mean until?",
    );
    expect(
      (await folder.run("schedule", "edit", "hourly", "--clear", "until", "--until", "2098-01-01T00:00Z")).stderr,
    ).toContain("set and cleared at once");
  }, 90_000);

  it.each([
    [["add", "chainOf([link('tasks.add')])", "--type", "DAILY"], "declare it in code"],
    [["preview", "61 * * * *"], "position 1"],
    [["preview", "@daily", "--tz", "moscow"], 'Did you mean "Europe/Moscow"?'],
    [["preview"], "There is no rule to preview"],
    [["add", "tasks.ad", "--type", "DAILY"], 'Did you mean "tasks.add"?'],
    [["add", "tasks.add", "--type", "DALY"], "must be one of ONCE, MINUTES"],
    [["add", "tasks.add", "--until", "tomorrow"], "--until=2026-01-31T03:00Z"],
    [["pause", "nothing"], 'There is no schedule "nothing"'],
    [["lsit"], "list"],
  ])("refuses %j with 2 (P181, P186)", async (args, message) => {
    const { code, stderr, stdout } = await folder.run("schedule", ...args);

    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });
});

describe("qluster cluster", () => {
  it("says in Django Q2's words what it does, as JSON lines where nobody looks (P414, P415, P416)", async () => {
    await folder.run("enqueue", "tasks.add", "[1, 2]", "--wait", "1ms");
    await folder.run("enqueue", "tasks.fail", '"oops"', "--wait", "1ms");

    const { stderr } = await folder.run("cluster", "--drain");

    const lines = stderr.trimEnd().split("\n").map(json) as { msg: string; level: number; taskId?: string }[];
    const said = lines.map((line) => line.msg).join("\n");
    for (const words of [
      "starting.",
      "ready for work at",
      "guarding cluster",
      "running.",
      "stopping.",
      "has stopped.",
    ]) {
      expect(said).toContain(words);
    }
    expect(lines.find((line) => line.msg.startsWith("Processed ["))).toMatchObject({
      level: 30,
      time: expect.any(Number),
      pid: expect.any(Number),
      hostname: expect.any(String),
      taskId: expect.stringMatching(id),
      task: "tasks.add",
      queue: "shop",
      cluster: "shop",
      durationMs: expect.any(Number),
    });
    expect(said).toMatch(/Failed \[[a-z-]+\] - oops/);
  });

  it.each(["SIGTERM", "SIGINT"] as const)(
    "stops gracefully on %s and lets what runs finish (P290, P291)",
    async (signal) => {
      const cluster = folder.start(["cluster"]);
      await cluster.says("running.");
      await folder.run("enqueue", "tasks.slow", "1000");
      await vitestWaits(async () => {
        const info = json((await folder.run("info", "--json")).stdout);
        expect(info).toMatchObject({ counts: { running: 1 } });
      });

      cluster.child.kill(signal);
      const { code, stderr } = await cluster.finished;

      expect(code).toBe(0);
      expect(stderr).toContain("has stopped.");
      expect(json((await folder.run("info", "--json")).stdout)).toMatchObject({ counts: { succeeded: 1, queued: 0 } });
    },
  );

  it("with --run-once tries what was there and stops (P296)", async () => {
    await folder.run("enqueue", "tasks.add", "[1, 2]");
    await folder.run("enqueue", "tasks.add", "[1, 2]", "--delay", "1h");

    const { code } = await folder.run("cluster", "--run-once");

    expect(code).toBe(0);
    expect(json((await folder.run("info", "--json")).stdout)).toMatchObject({ counts: { succeeded: 1 } });
  });

  it("serves the queue that --name names (P321, P402)", async () => {
    await folder.run("enqueue", "tasks.add", "[1, 2]", "--queue", "reports");
    await folder.run("enqueue", "tasks.add", "[1, 2]");

    await folder.run("cluster", "--name", "reports", "--drain");

    expect(json((await folder.run("info", "--json")).stdout)).toMatchObject({ counts: { succeeded: 1, queued: 1 } });
  });

  it.each([
    [["--workers=many"], '--workers is "many"'],
    [["--isolation=container"], '--isolation is "container", but must be one of process, thread, none.'],
    [["--log-level=loud"], "debug, info, warn, error, silent"],
    [["--queues=a:0"], 'the weight "0"'],
    [["--drain", "--run-once"], "exclude each other"],
  ])("refuses %j with 2", async (args, message) => {
    const { code, stderr } = await folder.run("cluster", ...args);

    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  it("says what is wrong with task modules that cannot be loaded", async () => {
    folder.write("tasks.mjs", 'throw new RangeError("no such thing");');

    const { code, stderr } = await folder.run("cluster", "--drain");

    expect(stderr).toContain("no such thing");
    expect(code).toBe(1);
  });
});

describe("qluster info", () => {
  it("exits with 4 until a cluster is healthy, and lists its id (P406, P411)", async () => {
    const before = [await folder.run("info", "--check"), await folder.run("info", "--ids")] as const;
    const cluster = folder.start(["cluster", "--name", "reports"]);
    await cluster.says("running.");
    const during = [await folder.run("info", "--check"), await folder.run("info", "--ids")] as const;
    const [ours, others] = [
      await folder.run("info", "--check", "--name", "reports"),
      await folder.run("info", "--check", "--name", "shop"),
    ];
    cluster.child.kill("SIGTERM");

    expect(before[0]).toMatchObject({ code: 4, stderr: expect.stringContaining("no cluster") });
    expect(before[1].stdout).toBe("No clusters appear to be running.\n");
    expect(during[0].code).toBe(0);
    expect(during[1].stdout.trim()).toMatch(id);
    expect([ours.code, others.code]).toEqual([0, 4]);
    await cluster.finished;
  });

  it("shows the figures, push or poll, the isolation, and what a power cut would lose (P404)", async () => {
    await folder.run("migrate");

    const { code, stdout } = await folder.run("info");

    expect(code).toBe(0);
    for (const word of [
      "Clusters",
      "Workers",
      "Restarts",
      "Queued",
      "Successes",
      "Failures",
      "Tasks/day",
      "Avg time",
    ]) {
      expect(stdout).toContain(word);
    }
    expect(stdout).toMatch(/Wake-ups +(push|poll): /);
    expect(stdout).toContain("Isolation  process: any code can be stopped");
    expect(stdout).toMatch(/Power cut +A power cut .*\./);
  });

  it.each([
    [["info", "--config"], {}],
    [["config", "print"], {}],
    [["config", "print", "--json"], {}],
    [["config", "print"], { QLUSTER_SECRET: "correct horse battery staple" }],
  ])("%j masks the secret and says where values come from (P407, P408)", async (args, env) => {
    const { code, stdout } = await folder.start(args, { QLUSTER_WORKERS: "3", ...env }).finished;

    expect(code).toBe(0);
    expect(stdout).not.toContain("horse");
    expect(stdout).toContain("***");
    expect(stdout).toMatch(/workers.*3.*environment/s);
    expect(stdout).toMatch(/attempts.*3.*default/s);
  });
});

describe("a project that cannot be used", () => {
  it.each([["info"], ["cluster"], ["enqueue", "tasks.add"], ["migrate"]])(
    "ends %j with 3 when its database is out of reach",
    async (...args) => {
      folder.write("data", "a file where a folder should be");

      const { code, stderr } = await folder.run(...args);

      expect(stderr).toContain("QLUSTER_STORE_UNAVAILABLE");
      expect(code).toBe(3);
    },
  );

  it("ends with 2 when there is no configuration, and says where one was looked for", async () => {
    using empty = makeFolder();

    const { code, stderr } = await empty.run("info");

    expect(code).toBe(2);
    expect(stderr).toContain(`no qluster.config.ts (or .mts, .js, .mjs, .cjs, .json) was found in ${empty.path}`);
  });

  it("ends with 2 and names the option that is wrong", async () => {
    folder.write("qluster.config.mjs", config.replace("workers: 1", "wokers: 1"));

    const { code, stderr } = await folder.run("info");

    expect(code).toBe(2);
    expect(stderr).toContain("workers");
  });

  it("ends with 2 when its configuration imports a module of `tasks`", async () => {
    folder.write(
      "qluster.config.cjs",
      `require("./tasks.cjs"); module.exports = { name: "shop", database: "sqlite:x.db", tasks: ["*.cjs"] };`,
    );
    folder.write("tasks.cjs", "exports.add = (a, b) => a + b;");

    const { code, stderr } = await folder.run("config", "print", "--config", "qluster.config.cjs");

    expect(stderr).toContain("qluster.config.cjs imports tasks.cjs, which `tasks` matches");
    expect(code).toBe(2);
  });

  it("may be said on the command line alone", async () => {
    using empty = makeFolder();

    const { code, stdout } = await empty.start(["config", "print"], {
      QLUSTER_PROJECT: "x",
      QLUSTER_DATABASE: "memory:",
    }).finished;

    expect(code).toBe(0);
    expect(stdout).toContain("Configuration file: none");
  });

  it("reads TypeScript without a build step", async () => {
    using typed = makeFolder({
      "qluster.config.ts": 'const name: string = "typed";\nexport default { name, database: "sqlite:x.db" as const };',
    });

    const { stdout } = await typed.run("config", "print");

    expect(stdout).toMatch(/name +typed +file/);
  });
});

describe("qluster demo", () => {
  it("shows successes, retries, failures and a task that is stopped, loses nothing and leaves nothing", async () => {
    using place = makeFolder();

    const { code, stdout, stderr } = await place.start(["demo", "--tasks", "40", "--json"], { TMPDIR: place.path })
      .finished;

    expect(stderr).toContain("Failed [");
    expect(json(stdout)).toMatchObject({ tasks: 40, lost: 0, failures: expect.any(Array) });
    const { succeeded, afterRetry, failures } = json(stdout) as {
      succeeded: number;
      afterRetry: number;
      failures: { task: string; count: number }[];
    };
    expect(afterRetry).toBeGreaterThan(0);
    expect(failures.map((failure) => failure.task).toSorted()).toEqual(["demo.loopForEver", "demo.sendMail"]);
    expect(succeeded + failures.reduce((sum, failure) => sum + failure.count, 0)).toBe(40);
    expect(code).toBe(0);
    expect(existsSync(place.path) && readdirSync(place.path).filter((name) => name.startsWith("qluster-demo"))).toEqual(
      [],
    );
  });
});

async function vitestWaits(check: () => Promise<void>): Promise<void> {
  await expect
    .poll(
      async () =>
        await check().then(
          () => true,
          () => false,
        ),
      { timeout: 15_000, interval: 100 },
    )
    .toBe(true);
}
