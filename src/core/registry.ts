import type { StandardSchema } from "./standard-schema.js";
import type { Fn, TaskOptions } from "./task-types.js";

/** A function under a stable name, as `task()` or the loader of task modules registered it. */
export interface TaskDefinition {
  readonly name: string;
  readonly run: Fn;
  readonly options: TaskOptions;
  readonly input: StandardSchema<readonly unknown[], readonly unknown[]> | undefined;
  /** The module it was loaded from, for messages. */
  readonly source: string | undefined;
}

interface Registry {
  readonly version: 1;
  readonly byName: Map<string, TaskDefinition>;
  readonly byFunction: Map<unknown, TaskDefinition>;
}

const key = Symbol.for("qluster.tasks.1");
const globals = globalThis as typeof globalThis & { [key]?: Registry };

// Process-wide, as in Django: loaders can give a module a copy of this one, and both must see the same tasks.
const registry: Registry = (globals[key] ??= { version: 1, byName: new Map(), byFunction: new Map() });

/** Registers a task. The same name again replaces the definition, so that a reloaded module takes effect. */
export function defineTask(definition: TaskDefinition, handles: readonly unknown[] = []): void {
  registry.byName.set(definition.name, definition);
  for (const handle of [definition.run, ...handles]) registry.byFunction.set(handle, definition);
}

/** The task of that name, if this process has it. Functions of `Math` are always known. */
export function taskByName(name: string): TaskDefinition | undefined {
  return registry.byName.get(name) ?? mathTask(name);
}

/** The task that a function, or what `task()` made of it, belongs to. */
export function taskByFunction(handle: unknown): TaskDefinition | undefined {
  return registry.byFunction.get(handle) ?? mathTaskOf(handle);
}

/** All names, sorted, without those of `Math`. */
export function taskNames(): string[] {
  return [...registry.byName.keys()].sort();
}

function mathTask(name: string): TaskDefinition | undefined {
  if (!name.startsWith("Math.")) return undefined;
  const run = mathFunction(name.slice("Math.".length));
  if (run === undefined) return undefined;
  return { name, run, options: {}, input: undefined, source: undefined };
}

function mathTaskOf(handle: unknown): TaskDefinition | undefined {
  if (typeof handle !== "function") return undefined;
  return mathFunction(handle.name) === handle ? mathTask(`Math.${handle.name}`) : undefined;
}

/** Of its own: what `Math` inherits, such as `valueOf` and `constructor`, is no task. */
function mathFunction(name: string): Fn | undefined {
  if (!Object.hasOwn(Math, name)) return undefined;
  const found = (Math as unknown as Record<string, unknown>)[name];
  return typeof found === "function" ? (found as Fn) : undefined;
}
