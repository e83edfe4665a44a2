import type { NewTask } from "../../contracts/store.js";
import { rankOf } from "../sql/task-row.js";
import { numberArray, textArray } from "./array-literal.js";
import { joinedArray, joinedTexts } from "./joined-texts.js";

/** The columns of new tasks that the functions which submit them take, side by side. */
export function newTaskColumns(tasks: readonly NewTask[]): string[] {
  return columns(tasks, textArray, numberArray);
}

/** The same in few bytes, for {@link joinedTaskArrays}. `undefined`: these texts cannot be joined. */
export function joinedTaskColumns(tasks: readonly NewTask[]): (string | null)[] | undefined {
  const joined = columns(tasks, joinedTexts, numbersIfAny);
  return joined.includes(undefined) ? undefined : (joined as (string | null)[]);
}

/** The arrays of {@link joinedTaskColumns}, the parameters from `first` on. NULL stands for an array of them. */
export function joinedTaskArrays(first: number): string {
  return types
    .map((type, index) => (type === "text" ? joinedArray(first + index) : `$${first + index}::${type}[]`))
    .join(", ");
}

function columns<Texts, Numbers>(
  tasks: readonly NewTask[],
  writtenTexts: (values: (string | null)[]) => Texts,
  writtenNumbers: (values: (number | null)[]) => Numbers,
): (Texts | Numbers)[] {
  const texts = (of: (task: NewTask) => string | null): Texts => writtenTexts(tasks.map(of));
  const numbers = (of: (task: NewTask) => number | null): Numbers => writtenNumbers(tasks.map(of));
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

/** Of the columns above. */
const types = "text text int bigint bigint bigint text text text text text text text bigint text".split(" ");

function numbersIfAny(values: (number | null)[]): string | null {
  return values.every((value) => value === null) ? null : numberArray(values);
}
