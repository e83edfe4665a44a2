import type { GroupQuery, StoredTask } from "../../contracts/store.js";
import { removeFinished } from "./retention.js";
import type { ProjectState } from "./state.js";

/** Finished members, newest finished first. */
export function membersOf(state: ProjectState, group: string, which: GroupQuery["which"]): StoredTask[] {
  const members = [...state.finished.values()].filter(
    (task) => task.group === group && (task.kind === "task" || task.kind === "iter"),
  );
  return members
    .filter((task) => which === "all" || (task.state === "succeeded") === (which === "succeeded"))
    .toReversed();
}

export function dissolve(state: ProjectState, group: string, options: { readonly tasks: boolean }): number {
  const members = membersOf(state, group, "all");
  for (const task of members) {
    if (options.tasks) removeFinished(state, task);
    else state.finished.set(task.id, { ...task, group: null });
  }
  state.bell.ring();
  return members.length;
}
