import { nearest } from "../core/names.js";
import type { CommandTable } from "./command.js";
import { UsageError } from "./usage-error.js";

/** What to say of a command that is not in `table`. @param parent - What was typed before it: `qluster migrate`. */
export function unknownCommand(word: string, table: CommandTable, parent: string): UsageError {
  const list = Object.keys(table).join(", ");
  if (word.startsWith("-")) return new UsageError(`${parent} has no flag ${word}. A command comes first: ${list}.`);
  const known = Object.entries(table).flatMap(([name, command]) => [name, ...(command.aliases ?? [])]);
  const near = nearest(word, known);
  const hint = near === undefined ? `Its commands: ${list}.` : `Did you mean "${parent} ${near}"?`;
  return new UsageError(`${parent} has no command "${word}". ${hint}`);
}
