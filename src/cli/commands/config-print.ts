import { type ConfigRow, configRows } from "../../options/config-rows.js";
import type { ResolvedConfig } from "../../options/resolved.js";
import type { CommandContext } from "../command.js";
import { type ExitCode, exitCodes } from "../exit-codes.js";
import { packageVersion } from "../../options/package-version.js";
import { openProject } from "../project.js";
import { UsageError } from "../usage-error.js";

/** Prints every setting that has a value, and where the value came from. Secrets and passwords are masked. */
export async function runConfigPrint(context: CommandContext): Promise<ExitCode> {
  const { config } = await openProject(context.flags);
  return printConfig(config, context);
}

/** `qluster config` alone. */
export async function needsVerb(): Promise<ExitCode> {
  throw new UsageError("qluster config needs a verb. Write: npx qluster config print");
}

export function printConfig(config: ResolvedConfig, { flags, terminal }: CommandContext): ExitCode {
  const settings = configRows(config);
  const { root, configFile } = config;
  if (flags.on("json")) {
    terminal.print(JSON.stringify({ format: 1, version: packageVersion(), configFile, root, settings }, null, 2));
    return exitCodes.ok;
  }
  terminal.print(terminal.style("bold", `Qluster ${packageVersion()}`));
  terminal.print(`Configuration file: ${configFile ?? "none"}. Relative paths start at ${root}`);
  terminal.print("");
  for (const line of columns(settings)) terminal.print(line);
  return exitCodes.ok;
}

const widestValue = 60;

function columns(rows: readonly ConfigRow[]): string[] {
  const first = Math.max(...rows.map(({ option }) => option.length));
  const second = Math.min(widestValue, Math.max(...rows.map(({ value }) => value.length)));
  return rows.map(({ option, value, source, variable }) => {
    const from = source === "environment" && variable !== undefined ? `${source} (${variable})` : source;
    return `${option.padEnd(first)}  ${value.padEnd(second)}  ${from}`;
  });
}
