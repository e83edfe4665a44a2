import { parseArgs as tokenize } from "node:util";
import type { ArgDef, ArgsDef } from "citty";
import { nearest } from "../core/names.js";
import { UsageError } from "./usage-error.js";

/** What `--help` and `-h` are; every command has them. */
const help: ArgsDef = { help: { type: "boolean", alias: "h" } };

/**
 * The parser passes over what it does not know. A mistyped flag must not: `--run-onec` would start a cluster for good.
 *
 * @throws {UsageError} naming the first flag or argument that `args` does not have, with the nearest one it has.
 */
export function checkFlags(command: string, rawArgs: readonly string[], args: ArgsDef): void {
  const known = namesOf({ ...args, ...help });
  const { tokens } = tokenize({
    args: [...rawArgs],
    options: optionsOf(known),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === "option") checkOption(command, token.rawName, valueOf(token), known);
  }
  const positionals = tokens.filter((token) => token.kind === "positional").map((token) => token.value);
  checkPositionals(command, positionals, args);
}

/** Without strictness, a flag that needs a value takes the next flag for it. */
function valueOf(token: {
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}): string | undefined {
  return token.inlineValue !== true && token.value?.startsWith("-") === true ? undefined : token.value;
}

function checkOption(command: string, rawName: string, value: string | undefined, known: Map<string, ArgDef>): void {
  const name = rawName.replace(/^--?/, "");
  const flag = known.get(name) ?? negated(name, known);
  if (flag === undefined) throw new UsageError(unknownFlag(command, rawName, [...known.keys()]));
  const wantsValue = flag.type !== "boolean";
  if (wantsValue && value === undefined)
    throw new UsageError(`${rawName} needs a value. Write ${rawName}=<${flag.valueHint ?? "value"}>.`);
  if (!wantsValue && value !== undefined)
    throw new UsageError(`${rawName} takes no value, but got "${value}". Write ${rawName} alone, or leave it out.`);
}

function negated(name: string, known: Map<string, ArgDef>): ArgDef | undefined {
  if (!name.startsWith("no-")) return undefined;
  const flag = known.get(name.slice("no-".length));
  return flag?.type === "boolean" ? flag : undefined;
}

function unknownFlag(command: string, rawName: string, known: readonly string[]): string {
  const near = nearest(rawName.replace(/^--?/, ""), known);
  const hint = near === undefined ? `Its flags: npx qluster ${command} --help` : `Did you mean ${dashed(near)}?`;
  return `qluster ${command} has no flag ${rawName}. ${hint}`;
}

function checkPositionals(command: string, given: readonly string[], args: ArgsDef): void {
  const places = Object.entries(args).filter(([, arg]) => arg.type === "positional");
  const extra = given[places.length];
  if (extra !== undefined)
    throw new UsageError(`qluster ${command} takes ${places.length} argument(s), and has no use for "${extra}".`);
  for (const [index, [name, arg]] of places.entries()) {
    if (given[index] === undefined && arg.required === true)
      throw new UsageError(`qluster ${command} needs <${name}>: ${arg.description ?? "a value"}.`);
  }
}

function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}

function namesOf(args: ArgsDef): Map<string, ArgDef> {
  const names = new Map<string, ArgDef>();
  for (const [name, arg] of Object.entries(args)) {
    if (arg.type === "positional") continue;
    for (const each of [name, ...aliasesOf(arg)]) names.set(each, arg);
  }
  return names;
}

function aliasesOf(arg: ArgDef): readonly string[] {
  if (!("alias" in arg) || arg.alias === undefined) return [];
  return typeof arg.alias === "string" ? [arg.alias] : arg.alias;
}

function optionsOf(known: Map<string, ArgDef>): Record<string, { type: "boolean" | "string"; short?: string }> {
  const options: Record<string, { type: "boolean" | "string"; short?: string }> = {};
  for (const [name, arg] of known) {
    const type = arg.type === "boolean" ? "boolean" : "string";
    options[name] = name.length === 1 ? { type, short: name } : { type };
  }
  return options;
}
