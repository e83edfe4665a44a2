import type { Backend, SchemaStatus } from "../../contracts/backend.js";
import { openBackend } from "../../options/open-backend.js";
import type { CommandContext } from "../command.js";
import { type ExitCode, exitCodes } from "../exit-codes.js";
import { openProject } from "../project.js";

/** Applies the versions that are missing, each in a transaction of its own. Harmless when there are none. */
export async function runMigrate(context: CommandContext): Promise<ExitCode> {
  await using backend = await open(context);
  const applied = await backend.schema.migrate();
  const status = await backend.schema.status();
  const text = applied.length === 0 ? describe(status) : `Applied ${applied.join(", ")}. ${describe(status)}`;
  answer({ applied, ...status }, text, context);
  return exitCodes.ok;
}

/** Changes nothing. Exits with 0 also when versions are missing: read `pending` of `--json` to branch on it. */
export async function runMigrateStatus(context: CommandContext): Promise<ExitCode> {
  await using backend = await open(context);
  const status = await backend.schema.status();
  answer({ ...status, pending: Math.max(0, status.wanted - status.version) }, describe(status), context);
  return exitCodes.ok;
}

/** Prints SQL to standard output and changes nothing, for those who apply changes by other means. */
export async function runMigrateSql(context: CommandContext): Promise<ExitCode> {
  await using backend = await open(context);
  const sql = await backend.schema.sql(context.flags.on("all") ? "all" : "pending");
  if (sql.trim() === "") context.terminal.note("Nothing to apply. Add --all to see the SQL of all versions.");
  else context.terminal.print(sql.trimEnd());
  return exitCodes.ok;
}

async function open({ flags }: CommandContext): Promise<Backend> {
  const { config } = await openProject(flags);
  return openBackend(config, { migrate: false });
}

function answer(document: object, text: string, { flags, terminal }: CommandContext): void {
  terminal.print(flags.on("json") ? JSON.stringify({ format: 1, ...document }, null, 2) : text);
}

function describe({ version, wanted, worksFrom }: SchemaStatus): string {
  if (wanted === 0) return "This backend has no tables to bring up to date.";
  if (version === 0)
    return `There are no tables yet; this version of Qluster wants version ${wanted}. Create them: npx qluster migrate`;
  if (version < wanted)
    return `The tables are at version ${version}; version ${wanted} is wanted. Apply it: npx qluster migrate`;
  if (version === wanted) return `The tables are at version ${version}, which is the newest.`;
  return `The tables are at version ${version}, made by a newer Qluster; code from version ${worksFrom} on works with them.`;
}
