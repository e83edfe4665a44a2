import { inspect } from "node:util";
import type { ErrorRecord } from "../contracts/store.js";

/** Longer stacks and messages are cut, in characters: one error must not fill a database. */
const limits = { message: 4_096, stack: 16_384 } as const;

/** An error as it is stored, with its chain of causes in the stack. Anything may be thrown, so anything is taken. */
export function toErrorRecord(thrown: unknown): ErrorRecord {
  if (!(thrown instanceof Error)) {
    return { name: "NonError", message: cut(`Thrown: ${inspect(thrown, { depth: 2 })}`, limits.message), stack: null };
  }
  return {
    name: safe(() => thrown.name, "Error"),
    message: cut(
      safe(() => thrown.message, ""),
      limits.message,
    ),
    stack: cut(
      safe(() => stackOf(thrown), ""),
      limits.stack,
    ),
  };
}

function stackOf(error: Error): string {
  const lines: string[] = [];
  const seen = new Set<unknown>();
  for (let at: unknown = error; at instanceof Error && !seen.has(at); at = at.cause) {
    seen.add(at);
    const stack = at.stack ?? `${at.name}: ${at.message}`;
    lines.push(lines.length === 0 ? stack : `Caused by: ${stack}`);
  }
  return lines.join("\n");
}

// A getter of the user's may throw.
function safe(read: () => unknown, otherwise: string): string {
  try {
    return String(read());
  } catch {
    return otherwise;
  }
}

function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max)} … (${text.length - max} characters more)`;
}
