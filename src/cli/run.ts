import type { CommandTable } from "./command.js";
import { type ExitCode, exitCodes } from "./exit-codes.js";
import type { Terminal } from "./terminal.js";

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

  const { findCommand } = await import("./find-command.js");
  const { command, path, rest } = findCommand(argv, table);
  const separator = rest.indexOf("--");
  const beforeSeparator = separator === -1 ? rest : rest.slice(0, separator);
  if (beforeSeparator.some((word) => word === "--help" || word === "-h")) {
    const { commandUsage } = await import("./usage.js");
    terminal.print(await commandUsage(path, command, terminal.coloured));
    return exitCodes.ok;
  }
  const { parseFlags } = await import("./parse-flags.js");
  const flags = parseFlags(path, rest, command.args);
  const runCommand = await command.load();
  return runCommand({ flags, terminal });
}

async function showVersion(terminal: Terminal): Promise<ExitCode> {
  const { packageVersion } = await import("../options/package-version.js");
  terminal.print(packageVersion());
  return exitCodes.ok;
}

async function showRootUsage(table: CommandTable, terminal: Terminal): Promise<ExitCode> {
  const { rootUsage } = await import("./usage.js");
  terminal.print(await rootUsage(table, terminal.coloured));
  return exitCodes.ok;
}
