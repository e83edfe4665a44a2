import type { ErrorRecord, Outcome } from "../contracts/store.js";
import { formatDuration } from "../core/duration.js";
import { readHookBody } from "../core/hook-message.js";
import { humanName } from "../core/ids.js";
import { logMessages } from "../core/log-messages.js";
import { readHeader } from "../core/task-header.js";
import type { Entry } from "./entry.js";

/** What the log says of an attempt that failed, or of a task that ended without one. */
export function failureLine(entry: Entry, error: ErrorRecord, outcome: Outcome): string {
  const line = whatFailed(entry, error);
  return outcome.to === "retrying" ? `${line} (${whatFollows(entry, outcome.delayMs)})` : line;
}

function whatFollows({ delivery, policy }: Entry, delayMs: number): string {
  const most = policy.attempts === 0 ? "" : ` of ${policy.attempts}`;
  // A jitter makes it any number of milliseconds; nobody wants to read them.
  const delay = delayMs < 1_000 ? delayMs : Math.round(delayMs / 1_000) * 1_000;
  return `attempt ${delivery.attempts + 1}${most}, again in ${formatDuration(delay)}`;
}

function whatFailed(entry: Entry, error: ErrorRecord): string {
  const { header, delivery } = entry;
  if (header.kind === "hook") {
    const words = error.dead === "unknown-task" ? logMessages.hookUnknown : logMessages.hookFailed;
    return words(header.func, parentName(delivery.envelope, header.parent), error.message);
  }
  const name = nameOf(entry);
  return error.dead === undefined ? logMessages.failed(name, error.message) : `Set aside [${name}]: ${error.message}`;
}

/** The name given to a request, or the words made from its id. */
export function nameOf({ header, delivery }: Entry): string {
  return header.name ?? humanName(delivery.id);
}

/** A log line is no reason to fail: of a hook that cannot be read, what its header says. */
function parentName(envelope: string, parent = ""): string {
  try {
    const { outcome } = readHookBody(envelope);
    return readHeader(outcome.envelope)?.name ?? humanName(outcome.id);
  } catch {
    return parent;
  }
}
