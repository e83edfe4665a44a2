import type { NewTask } from "../../contracts/store.js";
import { rankOf } from "../sql/task-row.js";
import { numberArray, textArray } from "./array-literal.js";

/** The columns of new tasks that the functions which submit them take, side by side. */
export function newTaskColumns(tasks: readonly NewTask[]): string[] {
  const texts = (of: (task: NewTask) => string | null): string => textArray(tasks.map(of));
  const numbers = (of: (task: NewTask) => number | null): string => numberArray(tasks.map(of));
  return [
    texts(({ id }) => id),
    texts(({ queue }) => queue),
    numbers(({ priority }) => rankOf(priority)),
    numbers(({ delayMs }) => Math.ceil(delayMs)),
    numbers(({ dueAt }) => (dueAt === null ? null : Math.ceil(dueAt))),
    numbers(({ expiresMs }) => (expiresMs === null ? null : Math.ceil(expiresMs))),
    texts(({ func }) => func),
    texts(({ name }) => name),
    texts(({ group }) => group),
    texts(({ kind }) => kind),
    texts(({ parent }) => parent),
    texts(({ unique }) => unique?.key ?? null),
    texts(({ unique }) => unique?.until ?? null),
    numbers(({ unique }) => (unique === null || unique.forMs === null ? null : Math.ceil(unique.forMs))),
    texts(({ envelope }) => envelope),
  ];
}
