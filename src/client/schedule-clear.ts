import { quote } from "../core/quote.js";
import type { TaskHeader } from "../core/task-header.js";
import { OptionError } from "../errors.js";

/** The header's field that an option stands in; `null`: none alone. */
const clearable = {
  name: null,
  until: null,
  jitter: null,
  catchUp: null,
  catchUpLimit: null,
  overlap: null,
  minutes: null,
  timeZone: null,
  repeats: null,
  cluster: null,
  args: null,
  kwargs: null,
  intendedDateKwarg: "intended",
  queue: null,
  group: null,
  delay: null,
  expires: null,
  unique: null,
  hook: "hook",
  hookOn: "hookOn",
  taskName: "name",
  attempts: "attempts",
  ackFailure: "attempts",
  backoff: "backoff",
  priority: "priority",
  save: "save",
} as const satisfies Readonly<Record<string, keyof TaskHeader | null>>;

/** An option of a schedule that has a default to fall back to. */
type Clearable = keyof typeof clearable;

const clearableOptions: readonly string[] = Object.keys(clearable);

/** What was written for an edit: what to set, and what to take away. */
export interface Cleared {
  readonly given: unknown;
  readonly cleared: ReadonlySet<string>;
}

/**
 * Tells apart what is to be set from what is to be cleared: `null` stands for "as if it had never been given".
 *
 * @throws {OptionError} for what cannot be cleared.
 */
export function splitCleared(changes: unknown): Cleared {
  if (typeof changes !== "object" || changes === null || Array.isArray(changes))
    return { given: changes, cleared: new Set() };
  const entries = Object.entries(changes);
  const cleared = new Set(entries.filter(isNull).map(([key]) => key));
  for (const key of cleared) if (!(key in clearable)) throw notClearable(key);
  return { given: Object.fromEntries(entries.filter((entry) => !isNull(entry))), cleared };
}

/** No time-out is a value of its own. */
function isNull([key, value]: readonly [string, unknown]): boolean {
  return value === null && key !== "timeout";
}

/** A header without what was cleared. */
export function withoutCleared<H extends Partial<TaskHeader>>(header: H, cleared: ReadonlySet<string>): H {
  const fields = new Set([...cleared].map((option) => clearable[option as Clearable]));
  return Object.fromEntries(Object.entries(header).filter(([field]) => !fields.has(field as never))) as H;
}

function notClearable(key: string): OptionError {
  return new OptionError(
    `The option ${quote(key)} of a schedule cannot be cleared: there is nothing to fall back to. Give it another value. ` +
      `null clears one of: ${clearableOptions.join(", ")}.`,
  );
}
