import { describe, expect, it } from "vitest";
import { fakeTerminal } from "../../test/cli/fake-terminal.js";
import type { CommandTable } from "./command.js";
import { commands } from "./commands.js";
import type { Flags } from "./flags.js";
import { run } from "./run.js";

const seen: Flags[] = [];
const table: CommandTable = {
  cluster: {
    summary: "Run tasks",
    aliases: ["start", "work"],
    args: {
      name: { type: "string", alias: "n", valueHint: "name" },
      "run-once": { type: "boolean" },
      workers: { type: "string", valueHint: "number" },
      wait: { type: "string", valueHint: "[duration]" },
      task: { type: "positional", required: true, description: "the task" },
      args: { type: "positional", required: false },
    },
    load:
      async () =>
      async ({ flags }) => {
        seen.push(flags);
        return 0;
      },
  },
  migrate: {
    summary: "Create the tables",
    args: {},
    load: async () => async () => 1,
    subCommands: { status: { summary: "Show", args: {}, load: async () => async () => 4 } },
  },
  broken: {
    summary: "Fail",
    args: {},
    load: async () => async () => {
      throw new Error("boom");
    },
  },
};

async function type(line: string) {
  seen.length = 0;
  const terminal = fakeTerminal();
  const code = await run(line.split(" ").filter(Boolean), table, terminal);
  return { code, flags: seen[0], notes: terminal.noted(), printed: terminal.printed.join("\n") };
}

describe("a command line", () => {
  it.each(["cluster core.a", "start core.a", "work core.a"])(
    "%j runs the command, by its name or an alias (P401)",
    async (line) => {
      const { code, flags } = await type(line);

      expect(code).toBe(0);
      expect(flags?.required("task")).toBe("core.a");
    },
  );

  it.each([
    ["--name reports x", "name", "reports"],
    ["--name=reports x", "name", "reports"],
    ["-n reports x", "name", "reports"],
    ["x --wait 10s", "wait", "10s"],
    ["x --wait", "wait", ""],
    ["x --wait --run-once", "wait", ""],
    ["x", "wait", undefined],
    ["x [1,2]", "args", "[1,2]"],
    ["-- -x -5", "args", "-5"],
  ])("reads %j: %s is %j (P402)", async (line, flag, value) => {
    expect((await type(`cluster ${line}`)).flags?.text(flag)).toBe(value);
  });

  it.each([
    ["--run-once x", true],
    ["x", false],
    ["--no-run-once x", false],
  ])("reads the switch in %j", async (line, on) => {
    expect((await type(`cluster ${line}`)).flags?.on("run-once")).toBe(on);
  });

  it("runs a verb of a command, and the command alone without one", async () => {
    expect([(await type("migrate status")).code, (await type("migrate")).code]).toEqual([4, 1]);
  });

  it.each([
    ["clustr x", 'qluster has no command "clustr". Did you mean "qluster cluster"?'],
    ["wrok x", 'Did you mean "qluster work"?'],
    ["frobnicate", 'qluster has no command "frobnicate". Its commands: cluster, migrate, broken.'],
    ["migrate stauts", 'qluster migrate has no command "stauts". Did you mean "qluster migrate status"?'],
    ["--workers 4", "qluster has no flag --workers. A command comes first"],
    ["cluster x --run-onec", "qluster cluster has no flag --run-onec. Did you mean --run-once?"],
    ["cluster x --worker=4", "Did you mean --workers?"],
    ["cluster x -z", "qluster cluster has no flag -z."],
    ["cluster x --frobnicate", "Its flags: npx qluster cluster --help"],
    ["cluster x --workers", "--workers needs a value. Write --workers=<number>."],
    ["cluster x --workers --run-once", "--workers needs a value."],
    ["cluster x --run-once=yes", '--run-once takes no value, but got "yes".'],
    ["cluster x --no-workers", "has no flag --no-workers"],
    ["cluster", "qluster cluster needs <task>: the task."],
    ["cluster a b c", 'takes 2 argument(s), and has no use for "c"'],
    ["migrate status x", 'qluster migrate status takes 0 argument(s), and has no use for "x"'],
  ])("is refused with 2 and the nearest name: %j", async (line, message) => {
    const { code, notes, flags } = await type(line);

    expect(code).toBe(2);
    expect(notes).toContain(message);
    expect(flags).toBeUndefined();
  });

  it("ends with 1 and the stack when a command breaks", async () => {
    const { code, notes } = await type("broken");

    expect(code).toBe(1);
    expect(notes).toContain("Error: boom\n");
  });
});

describe("help", () => {
  it.each(["", "--help", "-h", "help"])("of everything, for %j, lists all commands and exit codes", async (line) => {
    const terminal = fakeTerminal();

    expect(await run(line.split(" ").filter(Boolean), commands, terminal)).toBe(0);

    const printed = terminal.printed.join("\n");
    for (const name of Object.keys(commands)) expect(printed).toContain(name);
    expect(printed).toContain("3 database not reachable");
    // oxlint-disable-next-line no-control-regex -- a control character is what must not be there
    expect(printed).not.toMatch(/\u001B/);
  });

  it.each(["cluster --help", "help cluster", "start -h", "cluster --run-onec --help"])(
    "of one command: %j",
    async (line) => {
      const { code, printed, flags } = await type(line);

      expect(code).toBe(0);
      expect(flags).toBeUndefined();
      expect(printed).toContain("--run-once");
      expect(printed).toContain("qluster cluster");
    },
  );

  it("of every real command can be printed, with its examples", async () => {
    for (const [name, command] of Object.entries(commands)) {
      const terminal = fakeTerminal();
      await run([name, "--help"], commands, terminal);
      for (const example of command.examples ?? []) expect(terminal.printed.join("\n")).toContain(example);
    }
  });

  it.each(["--version", "-v"])("prints the version for %s", async (flag) => {
    expect((await type(flag)).printed).toMatch(/^\d+\.\d+\.\d+/);
  });
});
