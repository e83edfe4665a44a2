import type { TaskDefinition } from "./registry.js";
import type { Fn, TaskOptions } from "./task-types.js";

/** What a task value, made by `task()`, `ref()` or `with()`, knows of itself. */
export interface Handle {
  /** A name; or a plain function, whose name is looked up when the value is used. */
  readonly target: string | Fn;
  /** What `with` and `ref` said, without the options of the definition. */
  readonly options: TaskOptions;
  /** What `task()` was given. */
  readonly definition: TaskDefinition | undefined;
  /** Made by `ref` from a name: a task that another program may have. */
  readonly open: boolean;
}

const key = Symbol.for("qluster.handle.1");

/** Marks `value` as a task value. */
export function attachHandle<T extends object>(value: T, handle: Handle): T {
  return Object.defineProperty(value, key, { value: handle });
}

/** `undefined` for plain functions and everything else that is no task value. */
export function handleOf(value: unknown): Handle | undefined {
  if (typeof value !== "function" && (typeof value !== "object" || value === null)) return undefined;
  return (value as { readonly [key]?: Handle })[key];
}
