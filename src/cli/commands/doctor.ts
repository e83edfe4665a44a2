import { packageVersion } from "../../options/package-version.js";
import type { CommandContext } from "../command.js";
import { examineProject } from "../doctor/examine-project.js";
import { examineStore } from "../doctor/examine-store.js";
import { type Finding, wrong } from "../doctor/finding.js";
import { nodeFinding } from "../doctor/project-findings.js";
import { type ExitCode, exitCodes } from "../exit-codes.js";
import { explain } from "../explain.js";
import { openProject, type Project } from "../project.js";
import { renderFindings } from "../render-findings.js";

/** Looks at everything that a cluster needs, and exits with 4 when something is wrong. Changes nothing that lasts. */
export async function runDoctor(context: CommandContext): Promise<ExitCode> {
  const { flags, terminal } = context;
  const findings = await examine(context);
  const isWell = findings.every(({ state }) => state !== "wrong");
  if (flags.on("json")) terminal.print(JSON.stringify({ format: 1, healthy: isWell, findings }, null, 2));
  else for (const line of renderFindings(findings, terminal.style, terminal.columns())) terminal.print(line);
  return isWell ? exitCodes.ok : exitCodes.unhealthy;
}

async function examine({ flags }: CommandContext): Promise<Finding[]> {
  const version = packageVersion();
  const node = nodeFinding(process.versions.node, version);
  let project: Project;
  try {
    project = await openProject(flags);
  } catch (error) {
    return [node, wrong("configuration", explain(error).lines.join("\n"))];
  }
  return [node, ...(await examineProject(project.config)), ...(await examineStore(project.config, version))];
}
