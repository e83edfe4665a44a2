import type { Command, CommandTable } from "./command.js";

export interface FoundCommand {
  readonly command: Command;
  /** As it is typed after `qluster`: `migrate status`. */
  readonly path: string;
  /** What follows. */
  readonly rest: readonly string[];
}

/**
 * Finds the command that a command line starts with, by its name or an alias. Part of every start: what explains a
 * mistake is loaded when there is one.
 *
 * @throws {UsageError} naming the nearest command when there is none of that name.
 */
export async function findCommand(argv: readonly string[], table: CommandTable): Promise<FoundCommand> {
  const [word = "", ...rest] = argv;
  const [path, command] = lookUp(word, table) ?? (await unknown(word, table, "qluster"));
  const verb = rest[0];
  if (command.subCommands === undefined || verb === undefined || verb.startsWith("-")) return { command, path, rest };
  const verbs = command.subCommands;
  const [name, sub] = lookUp(verb, verbs) ?? (await unknown(verb, verbs, `qluster ${path}`));
  return { command: sub, path: `${path} ${name}`, rest: rest.slice(1) };
}

function lookUp(word: string, table: CommandTable): [string, Command] | undefined {
  return Object.entries(table).find(([name, command]) => name === word || command.aliases?.includes(word) === true);
}

async function unknown(word: string, table: CommandTable, parent: string): Promise<never> {
  const { unknownCommand } = await import("./unknown-command.js");
  throw unknownCommand(word, table, parent);
}
