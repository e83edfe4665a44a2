import { readFile, writeFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { exportedTasks } from "../../core/load-tasks.js";
import type { CommandContext } from "../command.js";
import { counted } from "../counted.js";
import { type ExitCode, exitCodes } from "../exit-codes.js";
import { openProject } from "../project.js";
import { taskNamesFile } from "../task-names-file.js";

/** Writes the file that types tasks by name. Leaves one alone that says the same already, so that nothing compiles anew. */
export async function runTypes({ flags, terminal }: CommandContext): Promise<ExitCode> {
  const { config } = await openProject(flags);
  const file = resolve(config.root, flags.text("out") ?? "qluster-tasks.d.ts");
  const tasks = await exportedTasks(config.root, config.tasks);
  const text = taskNamesFile(tasks, relative(dirname(file), config.root));
  const before = await readFile(file, "utf8").catch(() => undefined);
  if (before !== text) await writeFile(file, text);
  const shown = relative(process.cwd(), file);
  terminal.print(`${before === text ? "Nothing new in" : "Wrote"} ${shown}: ${counted(tasks.length, "task")}.`);
  return exitCodes.ok;
}
