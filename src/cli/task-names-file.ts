import type { ExportedTask } from "../core/load-tasks.js";

const head = `// Written by \`qluster types\`. Run it again when a task was added, renamed or removed.
export {};

declare module "qluster" {
  interface TaskNames {
`;

/** The declaration file that types tasks by name. @param toRoot - From its folder to the one that the paths start from. */
export function taskNamesFile(tasks: readonly ExportedTask[], toRoot: string): string {
  const known = new Map<string, string>();
  for (const task of tasks) if (!known.has(task.name)) known.set(task.name, typeOf(task, toRoot));
  const lines = [...known].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `${head}${lines.map(([name, type]) => `    ${JSON.stringify(name)}: ${type};\n`).join("")}  }\n}\n`;
}

function typeOf({ path, exportName }: ExportedTask, toRoot: string): string {
  const module = `(typeof import(${JSON.stringify(specifierOf(path, toRoot))}))`;
  return `${module}[${JSON.stringify(exportName)}]`;
}

/** As an ESM program imports it: what the compiler makes of the file. */
function specifierOf(path: string, toRoot: string): string {
  const place = toRoot === "" ? path : `${toRoot.replaceAll("\\", "/")}/${path}`;
  const compiled = place.replace(/\.([cm]?)[jt]sx?$/, ".$1js");
  return compiled.startsWith(".") ? compiled : `./${compiled}`;
}
