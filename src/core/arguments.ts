import { ArgumentsError } from "../errors.js";
import type { TaskDefinition } from "./registry.js";
import type { SchemaIssue, SchemaResult } from "./standard-schema.js";

/**
 * What the task's `input` schema makes of the arguments; a promise only when the schema answers with one.
 *
 * @throws {ArgumentsError} naming each fault with its path.
 */
export function checkArguments(
  definition: TaskDefinition,
  args: readonly unknown[],
): readonly unknown[] | Promise<readonly unknown[]> {
  if (definition.input === undefined) return args;
  const answer = definition.input["~standard"].validate(args);
  if (answer instanceof Promise) return answer.then((result) => valueOf(definition.name, result));
  return valueOf(definition.name, answer);
}

function valueOf(name: string, result: SchemaResult<readonly unknown[]>): readonly unknown[] {
  if (result.issues === undefined) return result.value;
  throw new ArgumentsError(name, result.issues.map(describe));
}

function describe(issue: SchemaIssue): string {
  const path = (issue.path ?? []).map((step) => {
    const key = typeof step === "object" ? step.key : step;
    return typeof key === "number" || /^\d+$/.test(String(key)) ? `[${String(key)}]` : `.${String(key)}`;
  });
  return `args${path.join("")}: ${issue.message}`;
}
