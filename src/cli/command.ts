import type { ArgsDef } from "citty";
import type { ExitCode } from "./exit-codes.js";
import type { Flags } from "./flags.js";
import type { Terminal } from "./terminal.js";

/** A command as the table has it: cheap to list, its code loaded when it runs. */
export interface Command {
  readonly summary: string;
  readonly aliases?: readonly string[];
  /** Flags, and positional arguments in their order. */
  readonly args: ArgsDef;
  readonly examples?: readonly string[];
  readonly load: () => Promise<RunCommand>;
  readonly subCommands?: CommandTable;
}

export type CommandTable = Readonly<Record<string, Command>>;

/** From flags to an exit code. What it throws is printed for people by whoever called it. */
type RunCommand = (context: CommandContext) => Promise<ExitCode>;

export interface CommandContext {
  readonly flags: Flags;
  readonly terminal: Terminal;
}
