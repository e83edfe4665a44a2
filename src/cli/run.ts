import type { CommandTable } from "./command.js";
import { commands } from "./commands.js";
import type { ExitCode } from "./exit-codes.js";
import { findCommand } from "./find-command.js";
import { processTerminal, type Terminal } from "./terminal.js";

// Part of every start: whatever it imports is paid for by each `--help`, so the rest is imported where it is needed.

/**
 * Runs a command line in this process and ends it with the command's exit code, also when something of the user's, such
 * as a connection that a task module opened, would keep it alive.
 */
export async function main(argv: readonly string[]): Promise<void> {
  process.exitCode = await run(argv, commands, processTerminal());
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  // oxlint-disable-next-line unicorn/no-process-exit -- this is the end of a program
  process.exit();
}

/**
 * Runs one command line and says how it ended. Never rejects: what goes wrong is printed for people.
 *
 * @param argv - Without Node and the script: `["info", "--json"]`.
 */
export async function run(argv: readonly string[], table: CommandTable, terminal: Terminal): Promise<ExitCode> {
  try {
    return await dispatch(argv, table, terminal);
  } catch (error) {
    const { explain } = await import("./explain.js");
    const { code, lines } = explain(error);
    for (const line of lines) terminal.note(line);
    return code;
  }
}

async function dispatch(argv: readonly string[], table: CommandTable, terminal: Terminal): Promise<ExitCode> {
  const [first, ...others] = argv;
  if (first === "--version" || first === "-v") return showVersion(terminal);
  if (first === undefined || first === "--help" || first === "-h") return showRootUsage(table, terminal);
  if (first === "help") return dispatch([...others, "--help"], table, terminal);

  const { command, path, rest } = await findCommand(argv, table);
  const separator = rest.indexOf("--");
  const beforeSeparator = separator === -1 ? rest : rest.slice(0, separator);
  if (beforeSeparator.some((word) => word === "--help" || word === "-h")) {
    const { commandUsage } = await import("./usage.js");
    terminal.print(await commandUsage(path, command, terminal.coloured));
    return 0;
  }
  const { parseFlags } = await import("./parse-flags.js");
  const flags = parseFlags(path, rest, command.args);
  const runCommand = await command.load();
  return runCommand({ flags, terminal });
}

async function showVersion(terminal: Terminal): Promise<ExitCode> {
  const { packageVersion } = await import("../options/package-version.js");
  terminal.print(packageVersion());
  return 0;
}

async function showRootUsage(table: CommandTable, terminal: Terminal): Promise<ExitCode> {
  const { rootUsage } = await import("./usage.js");
  terminal.print(await rootUsage(table, terminal.coloured));
  return 0;
}

/** Pipes are written asynchronously; leaving at once would cut off what was printed. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) resolve();
    else stream.write("", () => resolve());
  });
}
