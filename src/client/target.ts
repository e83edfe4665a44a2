import { handleOf, type Handle } from "../core/handle.js";
import { checkLength } from "../core/names.js";
import { taskByFunction, taskByName, type TaskDefinition } from "../core/registry.js";
import type { TaskOptions } from "../core/task-types.js";
import { OptionError, UnknownFunctionError } from "../errors.js";
import { quote } from "../core/quote.js";
import { filledText } from "./option-checks.js";
import { mergeOptions } from "./merge-options.js";
import { emptyPlan, planRequest, type RequestPlan } from "./request-plan.js";

/** What a verb's first argument stands for. */
export interface ResolvedTarget {
  /** The task's registered name. */
  readonly func: string;
  /** Missing when this process does not know the task. */
  readonly definition: TaskDefinition | undefined;
  /** The options of the definition with those of `with` or `ref` over them. */
  readonly options: TaskOptions;
  readonly plan: RequestPlan;
  /** Came through `ref` by name: perhaps another program's. */
  readonly open: boolean;
}

const none: TaskOptions = Object.freeze({});
// Targets are reused from call to call: one look-up instead of merging and checking again.
const plans = new WeakMap<object, ResolvedTarget>();

/**
 * Finds the task that a name, function, task value or `ref` stands for, and its options.
 *
 * @throws {UnknownTaskError} for a plain function that no loaded module exports.
 */
export function resolveTarget(target: unknown): ResolvedTarget {
  if (typeof target === "string") return byName(target);
  const handle = handleOf(target);
  if (handle !== undefined) return byHandle(handle);
  if (typeof target !== "function") {
    throw new OptionError(`The first argument is ${quote(target)}; expected a task, a function or a task's name.`);
  }
  const definition = taskByFunction(target);
  if (definition === undefined) throw new UnknownFunctionError(target.name, "task");
  return byDefinition(definition);
}

/** The name that a hook is called by. @throws {UnknownTaskError} for a plain function that no loaded module exports. */
export function hookName(hook: unknown): string {
  if (typeof hook === "string") {
    checkLength("hook", filledText(hook, "hook"), 256);
    return hook;
  }
  const handle = handleOf(hook);
  const target: unknown = handle === undefined ? hook : handle.target;
  if (typeof target === "string") return target;
  if (typeof target !== "function") {
    throw new OptionError(`The option hook is ${quote(hook)}; expected a task, a function or a task's name.`);
  }
  const definition = taskByFunction(target);
  if (definition === undefined) throw new UnknownFunctionError(target.name, "hook");
  return definition.name;
}

function byName(name: string): ResolvedTarget {
  const definition = taskByName(name);
  if (definition !== undefined) return byDefinition(definition);
  checkLength("task name", filledText(name, "name of a task"), 256);
  return { func: name, definition: undefined, options: none, plan: emptyPlan, open: false };
}

function byDefinition(definition: TaskDefinition): ResolvedTarget {
  return plans.get(definition) ?? remember(definition, definition.name, definition, definition.options, false);
}

/**
 * Checks the options of a new task value, together with those of its definition where that is known already.
 *
 * @throws {OptionError} when an option cannot be used.
 */
export function checkHandle(handle: Handle): Handle {
  const definition = definitionOf(handle);
  if (definition === undefined && typeof handle.target !== "string") planRequest(handle.options);
  else withDefinition(handle, definition);
  return handle;
}

function byHandle(handle: Handle): ResolvedTarget {
  const { target } = handle;
  const definition = definitionOf(handle);
  if (definition === undefined && typeof target === "function") throw new UnknownFunctionError(target.name, "task");
  const before = plans.get(handle);
  // A module that was loaded again has a newer definition under the same name.
  return before !== undefined && before.definition === definition ? before : withDefinition(handle, definition);
}

function withDefinition(handle: Handle, definition: TaskDefinition | undefined): ResolvedTarget {
  const { target, options, open } = handle;
  if (definition === undefined) return remember(handle, target as string, undefined, options, open);
  return remember(handle, definition.name, definition, mergeOptions(definition.options, options), open);
}

function definitionOf({ target, definition }: Handle): TaskDefinition | undefined {
  return typeof target === "string" ? (taskByName(target) ?? definition) : taskByFunction(target);
}

function remember(
  key: object,
  func: string,
  definition: TaskDefinition | undefined,
  options: TaskOptions,
  open: boolean,
): ResolvedTarget {
  const resolved = { func, definition, options, plan: planRequest(options), open };
  plans.set(key, resolved);
  return resolved;
}
