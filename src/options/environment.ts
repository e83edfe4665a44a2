import { nearest } from "../core/names.js";
import { addressOptions, plainOptions, type PlainValues } from "./option-table.js";

export type Environment = Readonly<Record<string, string | undefined>>;

/** One value of the environment, not checked yet. */
export interface EnvironmentValue {
  readonly variable: string;
  readonly value: unknown;
}

const special: Readonly<Record<string, string>> = { name: "QLUSTER_PROJECT", clusterName: "QLUSTER_NAME" };
const withoutVariable = new Set(["logger", "altClusters", "preset", "root"]);

/** The variable that sets an option, or `undefined` when none does. */
export function variableOf(option: string): string | undefined {
  if (withoutVariable.has(option)) return undefined;
  return special[option] ?? `QLUSTER_${option.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** What the environment says. An empty variable counts as not set, but for `QLUSTER_DATABASE` and `QLUSTER_SECRET`. */
export function readEnvironment(env: Environment): Map<string, EnvironmentValue> {
  const found = new Map<string, EnvironmentValue>();
  for (const option of [...Object.keys(plainOptions), ...addressOptions]) {
    const variable = givenVariable(option, env);
    const text = variable === undefined ? undefined : env[variable];
    if (variable === undefined || text === undefined) continue;
    found.set(option, { variable, value: isAddress(option) ? text : fromText(option, text) });
  }
  return found;
}

/** Variables that begin with `QLUSTER_` and mean nothing, as lines for people. */
export function strangeVariables(env: Environment): string[] {
  const known = [...Object.keys(plainOptions), ...addressOptions].flatMap((option) => variableOf(option) ?? []);
  const strange = Object.keys(env).filter((name) => name.startsWith("QLUSTER_") && !known.includes(name));
  return strange.flatMap((name) => {
    const near = nearest(name, known);
    return near === undefined ? [] : [`The variable ${name} sets no option. Did you mean ${near}?`];
  });
}

function givenVariable(option: string, env: Environment): string | undefined {
  const names = [variableOf(option), option === "clusterName" ? "Q_CLUSTER_NAME" : undefined];
  const mayBeEmpty = option === "database" || option === "secret";
  return names.find((name) => {
    const text = name === undefined ? undefined : env[name];
    return text !== undefined && (mayBeEmpty || text.trim() !== "");
  });
}

function isAddress(option: string): boolean {
  return (addressOptions as readonly string[]).includes(option);
}

function fromText(option: string, text: string): unknown {
  const trimmed = text.trim();
  return trimmed === "" ? "" : plainOptions[option as keyof PlainValues].reader.fromText(trimmed);
}
