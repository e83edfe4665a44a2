import { readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadTasks } from "../../core/load-tasks.js";
import type { ResolvedConfig } from "../../options/resolved.js";
import { explain } from "../explain.js";
import type { Finding } from "./finding.js";
import { configFindings, copyFinding, type PackageCopy, taskFindings } from "./project-findings.js";

/** Looks at what lies on this machine: the configuration, the copies of the package, the task modules, which it loads. */
export async function examineProject(config: ResolvedConfig): Promise<Finding[]> {
  const own = copyAt(fileURLToPath(new URL("../../../package.json", import.meta.url)));
  return [...configFindings(config), ...copyFinding(own, copyOf(config.root)), ...(await tasks(config))];
}

/** The copy that modules in `folder` import, if there is one. */
function copyOf(folder: string): PackageCopy | undefined {
  try {
    return copyAt(createRequire(join(folder, "package.json")).resolve("qluster/package.json"));
  } catch {
    return undefined;
  }
}

function copyAt(manifest: string): PackageCopy {
  const path = realpathSync(manifest);
  const { version } = JSON.parse(readFileSync(path, "utf8")) as { readonly version: string };
  return { version, folder: dirname(path) };
}

async function tasks({ tasks: patterns, root }: ResolvedConfig): Promise<Finding[]> {
  try {
    return taskFindings(patterns, await loadTasks(root, patterns));
  } catch (error) {
    return taskFindings(patterns, [], explain(error).lines.join("\n"));
  }
}
