import type { GroupQuery, StoredTask } from "../../contracts/store.js";
import type { RedisProject } from "./project.js";
import { readTasks } from "./store-read.js";

/** Members of a group that lose their label, or go, in one call of the script. */
const step = 256;

/** Finished members, newest finished first. */
export async function membersOf(project: RedisProject, group: string, query: GroupQuery): Promise<StoredTask[]> {
  const { which, limit = -1 } = query;
  const lists = await project.run<string[][]>("group", ["list", group, which, limit]);
  const places = new Map<string, number>();
  for (const list of lists) {
    for (let at = 0; at < list.length; at += 2) places.set(list[at] ?? "", Number(list[at + 1]));
  }
  const newest = [...places.keys()].sort((a, b) => (places.get(b) ?? 0) - (places.get(a) ?? 0));
  const ids = limit < 0 ? newest : newest.slice(0, limit);
  const tasks = new Map((await readTasks(project, ids, "finished")).map((task) => [task.id, task]));
  return ids.map((id) => tasks.get(id)).filter((task) => task !== undefined);
}

export async function countMembers(
  project: RedisProject,
  group: string,
  which: GroupQuery["which"],
  atMost: number = Infinity,
): Promise<number> {
  const [succeeded, failed] = await project.run<[number, number]>("group", ["count", group]);
  const count = which === "all" ? succeeded + failed : which === "succeeded" ? succeeded : failed;
  return Math.min(count, atMost);
}

/** Takes the label off the finished members, or deletes them, some at a time. */
export async function dissolve(project: RedisProject, group: string, withTasks: boolean): Promise<number> {
  let count = 0;
  for (;;) {
    const some = await project.run<number>("group", ["dissolve", group, withTasks ? 1 : 0, step]);
    count += some;
    if (some < step) return count;
  }
}
