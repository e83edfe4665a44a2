import type { StoredNote } from "../contracts/frames.js";
import { EnvelopeError } from "../errors.js";
import type { TaskHeader } from "./task-header.js";

/** How long a hook may take, in milliseconds, and how often it is tried. */
const hookTimeoutMs = 30_000;
const hookAttempts = 3;

/** What a hook is told. The parts of `outcome` are sealed, each by who made it; the worker opens them. */
export interface HookBody {
  readonly outcome: StoredNote;
}

/**
 * The message of a hook: header and body without a signature of their own, so that the supervisor, which signs nothing,
 * can compose it. Which function runs is read from the parent's sealed header, never from this one.
 *
 * @param parent - The header of the task that names the hook.
 * @param func - Which of the tasks that it names. Default: its `hook`.
 */
export function composeHook(
  id: string,
  body: HookBody,
  parent: TaskHeader,
  func: string | undefined = parent.hook,
): string {
  const header: TaskHeader = {
    v: 1,
    id,
    func: func ?? "",
    kind: "hook",
    parent: parent.id,
    timeout: hookTimeoutMs,
    attempts: hookAttempts,
  };
  return `${JSON.stringify(header)}\n${JSON.stringify(body)}\n`;
}

/** Whether the sealed header of a finished task names `func` as one to be called. */
export function namesHook({ hook, each, flow }: TaskHeader, func: string): boolean {
  return [hook, each, flow?.onSuccess, flow?.onFailure].includes(func);
}

/** @throws {EnvelopeError} `unreadable` when it is no message of a hook. Checks types; the parts are still sealed. */
export function readHookBody(envelope: string): HookBody {
  const [, line = ""] = envelope.split("\n", 2);
  let body: unknown;
  try {
    body = JSON.parse(line);
  } catch (cause) {
    throw new EnvelopeError("unreadable", "The message of a hook has no body that can be read.", { cause });
  }
  if (!isHookBody(body)) throw new EnvelopeError("unreadable", "The message of a hook does not say what has finished.");
  return body;
}

function isHookBody(body: unknown): body is HookBody {
  const outcome = isRecord(body) ? body["outcome"] : undefined;
  if (!isRecord(outcome)) return false;
  const { result, error } = outcome;
  return (
    ["id", "queue", "envelope"].every((key) => typeof outcome[key] === "string") &&
    ["attempt", "queuedAt", "startedAt", "stoppedAt"].every((key) => Number.isFinite(outcome[key])) &&
    typeof outcome["success"] === "boolean" &&
    (result === null || typeof result === "string") &&
    isMembers(outcome["members"]) &&
    (error === null || (isRecord(error) && typeof error["name"] === "string" && typeof error["message"] === "string"))
  );
}

/** Results are checked when they are opened. */
function isMembers(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return Array.isArray(value) && value.every((one) => isRecord(one) && Number.isSafeInteger(one["place"]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
