import type { ResolvedConfig } from "../../options/resolved.js";
import { type Finding, note, ok, wrong } from "./finding.js";

/** A copy of this package: its version, and where it lies. */
export interface PackageCopy {
  readonly version: string;
  readonly folder: string;
}

/** The oldest Node.js that `engines` of package.json admits. */
const oldestNode = [20, 19] as const;

/** @param node - As in `process.versions`. */
export function nodeFinding(node: string, version: string): Finding {
  const [major = 0, minor = 0] = node.split(".").map(Number);
  const isOld = major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1]);
  if (!isOld) return ok("Node.js", `${node}, with Qluster ${version}`);
  return wrong("Node.js", `${node} is older than Qluster ${version} can use.`, `Install Node.js 20.19 or newer.`);
}

/** @param other - What the project's own modules import, when that is another copy. */
export function copyFinding(own: PackageCopy, other: PackageCopy | undefined): Finding[] {
  if (other === undefined || other.folder === own.folder) return [];
  const text =
    `The project imports version ${other.version} from ${other.folder}, and this command is version ${own.version} ` +
    `from ${own.folder}.`;
  return [note("package", text, "Run the project's own command: npx qluster, in the folder of the project.")];
}

export function configFindings(config: ResolvedConfig): Finding[] {
  const from = config.configFile ?? "flags and the environment";
  return [
    ok("configuration", `Project "${config.name}", from ${from}`),
    ...config.notes.map((text) => note("configuration", text)),
    secretFinding(config),
  ];
}

/** A secret that was made by itself is known on this machine only; a database server is for several. */
function secretFinding({ sources, database }: ResolvedConfig): Finding {
  if (sources.get("secret") !== "default") return ok("secret", `Given by the ${sources.get("secret")}`);
  if (database.scheme === "sqlite") return ok("secret", "Made by itself, and kept beside the database");
  if (database.scheme === "memory") return ok("secret", "Made by itself, for this process");
  return note(
    "secret",
    "Made by itself and kept on this machine. Other machines with the same database refuse what was signed with it.",
    "Set QLUSTER_SECRET to one long random text everywhere: openssl rand -base64 32",
  );
}

/** @param names - Of all tasks that could be loaded. @param fault - Why not all could be. */
export function taskFindings(patterns: readonly string[], names: readonly string[], fault?: string): Finding[] {
  if (fault !== undefined) {
    return [wrong("tasks", `The task modules cannot be loaded: ${fault}`)];
  }
  if (patterns.length === 0) {
    return [
      note(
        "tasks",
        "The configuration names no task modules; a cluster would know no task.",
        `Set tasks: ["tasks/**/*.ts"].`,
      ),
    ];
  }
  if (names.length > 0) return [ok("tasks", `${names.length} in ${patterns.join(", ")}`)];
  return [
    wrong(
      "tasks",
      `No module that matches ${patterns.join(", ")} exports a function.`,
      "Export one, or mend the pattern.",
    ),
  ];
}
