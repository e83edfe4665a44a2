import { openBackend } from "../../options/open-backend.js";
import type { CommandContext } from "../command.js";
import { type ExitCode, exitCodes } from "../exit-codes.js";
import { gatherInfo, type InfoFacts, isHealthy } from "../info-facts.js";
import { packageVersion } from "../../options/package-version.js";
import { openProject } from "../project.js";
import { infoDocument, renderInfo } from "../render-info.js";
import { printConfig } from "./config-print.js";

/** With `--check`, exits with 0 when at least one cluster is idle or working and with 4 when none is. */
export async function runInfo(context: CommandContext): Promise<ExitCode> {
  const { flags, terminal } = context;
  const { config } = await openProject(flags);
  if (flags.on("config")) return printConfig(config, context);

  await using backend = await openBackend(config, { migrate: false });
  const facts = await gatherInfo(backend, config, { version: packageVersion(), only: flags.text("name") });
  if (flags.on("ids")) printIds(facts, context);
  else if (flags.on("json")) terminal.print(JSON.stringify(infoDocument(facts), null, 2));
  else for (const line of renderInfo(facts, terminal.style, terminal.columns())) terminal.print(line);

  if (!flags.on("check") || isHealthy(facts.clusters)) return exitCodes.ok;
  terminal.note("Not healthy: no cluster says that it is idle or working. Start one: npx qluster cluster");
  return exitCodes.unhealthy;
}

function printIds({ clusters }: InfoFacts, { flags, terminal }: CommandContext): void {
  const ids = clusters.map((cluster) => cluster.clusterId);
  if (flags.on("json")) terminal.print(JSON.stringify(ids));
  else if (ids.length === 0) terminal.print("No clusters appear to be running.");
  else for (const id of ids) terminal.print(id);
}
