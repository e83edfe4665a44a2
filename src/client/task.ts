import { attachHandle, handleOf, type Handle } from "../core/handle.js";
import { checkLength } from "../core/names.js";
import { defineTask, taskByFunction, type TaskDefinition } from "../core/registry.js";
import type { Fn, TaskOptions } from "../core/task-types.js";
import { OptionError, UnknownFunctionError } from "../errors.js";
import { quote } from "../core/quote.js";
import { filledText, refuse } from "./option-checks.js";
import { mergeOptions } from "./merge-options.js";
import { planRequest } from "./request-plan.js";
import { checkHandle } from "./target.js";
import type { DefineRef, DefineTask } from "./types.js";

type Definition = TaskDefinition;
type WithOptions = { with: (options: TaskOptions) => unknown };

/**
 * Gives a function a stable name, and with it options for all its requests and a check of its arguments. What it returns
 * is still callable like the function, and is what the verbs take.
 *
 * @param name - At most 256 characters. Another program, and the same one tomorrow, finds the task by it.
 * @param options - Options of every request; `with` and `ref` go over them. `input`: any Standard Schema (zod, valibot,
 *   arktype) for the list of arguments; it is checked when the task is enqueued and again, converting, when it runs.
 * @throws {OptionError} when an option cannot be used.
 * @example
 * export const resize = task("images.resize", async (id, width) => ({ url }), {
 *   input: z.tuple([z.string(), z.int()]), timeout: "30s", attempts: 5,
 * });
 */
export const task: DefineTask = ((
  name: string,
  fn: Fn,
  options: TaskOptions & Pick<Definition, "input"> = { input: undefined },
) => {
  checkLength("task name", filledText(name, "name of a task"), 256);
  if (typeof fn !== "function") throw refuse(`function of the task "${name}"`, fn, "a function");
  const { input, ...rest } = options;
  checkInput(name, input);
  planRequest(rest);
  const definition: Definition = { name, run: fn, options: rest, input, source: undefined };
  const made = callable({ target: name, options: {}, definition, open: false }, definition);
  defineTask(definition, [made]);
  return made;
}) as unknown as DefineTask;

/**
 * A task with options for one request or some: of a task, of a plain function that `tasks` loads, or of a name. A name in
 * a `ref` may be that of another program's task, so it is never refused as unknown.
 *
 * @throws {OptionError} when an option cannot be used.
 * @example
 * await asyncTask(ref(moderateReview, { group: "moderation", hook: notifyClient }), 42);
 */
export const ref: DefineRef = ((target: unknown, options: TaskOptions = {}) => {
  const base = baseOf(target);
  return reference(checkHandle({ ...base, options: mergeOptions(base.options, options) }));
}) as unknown as DefineRef;

function baseOf(target: unknown): Handle {
  if (typeof target === "string") {
    checkLength("task name", filledText(target, "name of a task"), 256);
    return { target, options: {}, definition: undefined, open: true };
  }
  const handle = handleOf(target);
  if (handle !== undefined) return handle;
  if (typeof target === "function") return { target: target as Fn, options: {}, definition: undefined, open: false };
  throw new OptionError(`ref() got ${quote(target)}; expected a task, a function or a task's name.`);
}

/** What `task()` returns: the function itself, with its name and `with`. */
function callable(handle: Handle, definition: Definition): Fn & WithOptions {
  const run = definition.run as (...args: unknown[]) => unknown;
  function call(this: unknown, ...args: unknown[]): unknown {
    return run.apply(this, args);
  }
  Object.defineProperty(call, "name", { value: run.name });
  Object.defineProperty(call, "length", { value: run.length });
  const members = {
    taskName: definition.name,
    with: (more: TaskOptions) => callable(withOptions(handle, more), definition),
  };
  return attachHandle(Object.assign(call, members), handle);
}

function reference(handle: Handle): object {
  const value = {
    get taskName() {
      return nameOf(handle);
    },
    with: (more: TaskOptions) => reference(withOptions(handle, more)),
  };
  return attachHandle(value, handle);
}

function withOptions(handle: Handle, more: TaskOptions): Handle {
  return checkHandle({ ...handle, options: mergeOptions(handle.options, more) });
}

function nameOf({ target }: Handle): string {
  if (typeof target === "string") return target;
  const definition = taskByFunction(target);
  if (definition === undefined) throw new UnknownFunctionError(target.name, "task");
  return definition.name;
}

function checkInput(name: string, input: Definition["input"]): void {
  if (input === undefined || typeof input?.["~standard"]?.validate === "function") return;
  throw new OptionError(
    `The option input of the task "${name}" is ${quote(input)}; expected a Standard Schema, such as z.tuple([z.string()]).`,
  );
}
