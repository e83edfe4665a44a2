import { stripVTControlCharacters } from "node:util";
import { type CommandDef, renderUsage } from "citty";
import type { Command, CommandTable } from "./command.js";
import { packageVersion } from "../options/package-version.js";

/** The help of all commands. */
export async function rootUsage(table: CommandTable, colour: boolean): Promise<string> {
  const usage = await renderUsage({
    meta: { name: "qluster", version: packageVersion(), description: "Background tasks on the database you have" },
    subCommands: listed(table),
  });
  const codes =
    "Exit codes: 0 ok, 1 failed, 2 wrong command line or configuration, 3 database not reachable, 4 unhealthy.";
  return finish(`${usage}\n${codes}`, colour);
}

/** The help of one command. @param path - As it is typed after `qluster`. */
export async function commandUsage(path: string, command: Command, colour: boolean): Promise<string> {
  const names = path.split(" ");
  const parent: CommandDef = { meta: { name: ["qluster", ...names.slice(0, -1)].join(" ") } };
  const usage = await renderUsage({ ...definition(command), meta: metaOf(names.at(-1) ?? path, command) }, parent);
  const examples = (command.examples ?? []).map((example) => `  npx ${example}`);
  return finish(examples.length === 0 ? usage : [usage, "EXAMPLES", "", ...examples, ""].join("\n"), colour);
}

function definition(command: Command): CommandDef {
  const { args, subCommands } = command;
  return subCommands === undefined ? { args } : { args, subCommands: listed(subCommands) };
}

function listed(table: CommandTable): Record<string, CommandDef> {
  return Object.fromEntries(Object.entries(table).map(([name, each]) => [name, { meta: metaOf(name, each) }]));
}

function metaOf(name: string, command: Command): { name: string; description: string; alias: string[] } {
  return { name, description: command.summary, alias: [...(command.aliases ?? [])] };
}

function finish(usage: string, colour: boolean): string {
  const text = colour ? usage : stripVTControlCharacters(usage);
  return text.replace(/ +$/gm, "");
}
