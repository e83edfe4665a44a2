import { variableOf } from "./environment.js";
import type { ResolvedConfig, ValueSource } from "./resolved.js";

/** One line of `qluster config print`. */
export interface ConfigRow {
  readonly option: string;
  /** For people; secrets and passwords are masked. */
  readonly value: string;
  readonly source: ValueSource;
  /** The variable of the environment that sets it, if one does. */
  readonly variable: string | undefined;
}

/** Every option with its value and where that came from, the name and the addresses first, then by name. */
export function configRows(config: ResolvedConfig): ConfigRow[] {
  const rows = [...config.shown].map(([option, value]) => ({
    option,
    value,
    source: config.sources.get(option) ?? ("default" as const),
    variable: variableOf(option),
  }));
  return rows.sort((a, b) => rank(a.option) - rank(b.option) || a.option.localeCompare(b.option));
}

function rank(option: string): number {
  const first = ["name", "database", "broker", "cache"].indexOf(option);
  return first === -1 ? 4 : first;
}
