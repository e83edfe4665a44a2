import { type ArgsDef, parseArgs } from "citty";
import { checkFlags } from "./check-flags.js";
import { type Flags, flagsFrom } from "./flags.js";

/** Reads what follows a command's name. @throws {UsageError} for what the command does not take. */
export function parseFlags(command: string, rawArgs: readonly string[], args: ArgsDef): Flags {
  const words = completeOptional(rawArgs, args);
  checkFlags(command, words, args);
  return flagsFrom(parseArgs(words, args));
}

/** A flag whose value may be left out (`[hint]`) must not take the next flag for it: `--wait --json`. */
function completeOptional(rawArgs: readonly string[], args: ArgsDef): string[] {
  const optional = Object.entries(args).filter(([, arg]) => arg.valueHint?.startsWith("[") === true);
  const names = new Set(optional.map(([name]) => `--${name}`));
  return rawArgs.map((word, index) => {
    const next = rawArgs[index + 1];
    return names.has(word) && (next === undefined || next.startsWith("-")) ? `${word}=` : word;
  });
}
