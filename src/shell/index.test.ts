import { realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { currentTasks } from "../core/current-task.js";
import type { CurrentTask } from "../core/task-types.js";
import { output, run } from "./index.js";

const node = process.execPath;

it("are tasks with names of their own (P008, P429)", () => {
  expect([run.taskName, output.taskName]).toEqual(["shell.run", "shell.output"]);
});

it.each([0, 3])("run returns the exit code %i (P008, P429)", async (code) => {
  expect(await run(node, ["-e", `process.exit(${code})`])).toBe(code);
});

it("output returns what was printed, in the folder and with the variables that were given (P008, P429)", async () => {
  const cwd = realpathSync(tmpdir());
  const script = "console.log(process.cwd(), process.env.GREETING, process.env.PATH !== undefined, process.argv[1])";

  expect(await output(node, ["-e", script, "$HOME; ls"], { cwd, env: { GREETING: "hello" } })).toBe(
    `${cwd} hello true $HOME; ls\n`,
  );
});

it.each([
  [
    "output of a program that fails",
    () => output(node, ["-e", "console.error('no such table'); process.exit(2)"]),
    /ended with exit code 2: no such table$/,
  ],
  [
    "run of a program that is not there",
    () => run("no-such-program"),
    /^no-such-program could not be run to its end: .*ENOENT/,
  ],
  [
    "output of a program that is not there",
    () => output("no-such-program"),
    /^no-such-program could not be run to its end: .*ENOENT/,
  ],
  [
    "run of a program that is killed",
    () => run(node, ["-e", "process.kill(process.pid, 'SIGKILL')"]),
    /was ended by SIGKILL\.$/,
  ],
])("%s is an error that says why (P429)", async (_, call, message) => {
  await expect(call()).rejects.toThrow(message);
});

it.each([
  ["run", run],
  ["output", output],
])("%s stops with its task (P429)", async (_, command) => {
  const stop = new AbortController();
  const current = { signal: stop.signal } as CurrentTask;

  const running = currentTasks.run(current, async () => await command(node, ["-e", "setInterval(() => {}, 1_000)"]));
  stop.abort();

  await expect(running).rejects.toThrow(/could not be run to its end: The operation was aborted/);
});
