import type { Command, CommandTable } from "./command.js";
import { nearest } from "../core/names.js";
import { UsageError } from "./usage-error.js";

export interface FoundCommand {
  readonly command: Command;
  /** As it is typed after `qluster`: `migrate status`. */
  readonly path: string;
  /** What follows. */
  readonly rest: readonly string[];
}

/**
 * Finds the command that a command line starts with, by its name or an alias.
 *
 * @throws {UsageError} naming the nearest command when there is none of that name.
 */
export function findCommand(argv: readonly string[], table: CommandTable): FoundCommand {
  const [word = "", ...rest] = argv;
  if (word.startsWith("-")) throw new UsageError(`qluster has no flag ${word}. A command comes first: ${list(table)}.`);
  const [name, command] = lookUp(word, table) ?? unknown(word, table, "qluster");
  return inside(command, name, rest);
}

function inside(command: Command, path: string, rest: readonly string[]): FoundCommand {
  const word = rest[0];
  if (command.subCommands === undefined || word === undefined || word.startsWith("-")) return { command, path, rest };
  const [name, sub] = lookUp(word, command.subCommands) ?? unknown(word, command.subCommands, `qluster ${path}`);
  return { command: sub, path: `${path} ${name}`, rest: rest.slice(1) };
}

function lookUp(word: string, table: CommandTable): [string, Command] | undefined {
  return Object.entries(table).find(([name, command]) => name === word || command.aliases?.includes(word) === true);
}

function unknown(word: string, table: CommandTable, parent: string): never {
  const known = Object.entries(table).flatMap(([name, command]) => [name, ...(command.aliases ?? [])]);
  const near = nearest(word, known);
  const hint = near === undefined ? `Its commands: ${list(table)}.` : `Did you mean "${parent} ${near}"?`;
  throw new UsageError(`${parent} has no command "${word}". ${hint}`);
}

function list(table: CommandTable): string {
  return Object.keys(table).join(", ");
}
