import { humanName } from "../../core/ids.js";
import { messageFlags } from "./key-layout.js";
import type { RedisProject } from "./project.js";

/** So many of the newest tasks are looked through for a name that was made from an id, as no list has it. */
const scanned = 100_000;
/** Read and compared in one turn of the loop. */
const step = 2_000;

/** A list of tasks, and where the flags (two hexadecimal digits) and the id stand in its members. */
interface List {
  readonly name: string;
  readonly flagsAt: number;
  readonly idAt: number;
}

/** The newest task with a name, given or made from its id. */
export async function findByName(project: RedisProject, name: string): Promise<string | undefined> {
  const [given] = await project.run<string[]>("names", ["given", name]);
  if (given !== undefined) return given;
  if (!/^[a-z]+(-[a-z]+){3}$/.test(name)) return undefined;
  const found: string[] = [];
  for (const list of await listsOf(project)) {
    const id = await scan(project, list, name);
    if (id !== undefined) found.push(id);
  }
  // Ids ascend with the time.
  return found.sort().at(-1);
}

async function listsOf(project: RedisProject): Promise<List[]> {
  const waiting = await project.run<string[]>("names", ["waiting"]);
  const finished = ["done:ts", "done:tf", "done:hs", "done:hf", "done:fs", "done:ff"];
  return [
    ...waiting.map((list): List => ({ name: list, flagsAt: 14, idAt: 22 })),
    ...finished.map((list): List => ({ name: list, flagsAt: 0, idAt: 2 })),
  ];
}

async function scan(
  project: RedisProject,
  { name: list, flagsAt, idAt }: List,
  name: string,
): Promise<string | undefined> {
  for (let from = 0; from < scanned; from += step) {
    const members = await project.run<string[]>("names", ["members", list, from, from + step - 1]);
    const found = members.find((member) => {
      const isNamed = (Number.parseInt(member.slice(flagsAt, flagsAt + 2), 16) & messageFlags.named) !== 0;
      return !isNamed && isMadeFrom(member.slice(idAt), name);
    });
    if (found !== undefined) return found.slice(idAt);
    if (members.length < step) return undefined;
  }
  return undefined;
}

function isMadeFrom(id: string, name: string): boolean {
  // An id that is not ours has no name of its own.
  return /^[0-9a-f]{32}$/.test(id) && humanName(id) === name;
}
