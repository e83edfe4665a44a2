/**
 * The first line of a message. Readable without opening it; the supervisor acts on it unchecked, which can at worst
 * mistime a task. Only what was given is present. Times in milliseconds.
 */
export interface TaskHeader {
  readonly v: 1;
  readonly id: string;
  /** The registered name of the function. */
  readonly func: string;
  readonly name?: string;
  readonly group?: string;
  /** `schedule`: the sealed target of a schedule, which runs only as part of a `slot`, the task of one of its slots. */
  readonly kind?: "hook" | "schedule" | "slot";
  /** `null`: none. */
  readonly timeout?: number | null;
  /** 0: for ever. */
  readonly attempts?: number;
  readonly backoff?: HeaderBackoff;
  readonly priority?: number;
  readonly save?: boolean;
  readonly hook?: string;
  readonly hookOn?: "final" | "attempt";
  /** Of a hook: the task that it belongs to. Of a slot: its schedule. */
  readonly parent?: string;
  /** When it was asked to start, in milliseconds since 1970; absent when at once. */
  readonly due?: number;
  /** Of a schedule: the name in the last argument under which each task gets its slot. */
  readonly intended?: string;
}

export interface HeaderBackoff {
  readonly base?: number;
  readonly factor?: number;
  readonly max?: number;
  readonly jitter?: number;
}

/**
 * The header of a message, or `undefined` when it cannot be read. Checks types, never the signature.
 * Of a newer version only what every version has.
 */
export function readHeader(envelope: string): TaskHeader | undefined {
  const end = envelope.indexOf("\n");
  if (end === -1) return undefined;
  try {
    return headerOf(JSON.parse(envelope.slice(0, end)) as unknown);
  } catch {
    return undefined;
  }
}

function headerOf(value: unknown): TaskHeader | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const header = value as { readonly [K in keyof TaskHeader]?: unknown };
  const { v, id, func } = header;
  if (typeof id !== "string" || typeof func !== "string" || id === "" || func === "") return undefined;
  if (v === 1) return hasKnownTypes(header) ? (value as TaskHeader) : undefined;
  return typeof v === "number" && v > 1 ? ({ v, id, func } as unknown as TaskHeader) : undefined;
}

function hasKnownTypes(header: { readonly [K in keyof TaskHeader]?: unknown }): boolean {
  const { timeout, backoff, save } = header;
  return (
    isText(header.name) &&
    isText(header.group) &&
    isText(header.hook) &&
    isText(header.parent) &&
    isText(header.intended) &&
    isOneOf(header.kind, "hook", "schedule", "slot") &&
    isOneOf(header.hookOn, "final", "attempt") &&
    (timeout === null || isAmount(timeout)) &&
    isAmount(header.attempts) &&
    isAmount(header.due) &&
    (header.priority === undefined || Number.isFinite(header.priority)) &&
    (save === undefined || typeof save === "boolean") &&
    (backoff === undefined || isBackoff(backoff))
  );
}

function isBackoff(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { base, factor, max, jitter } = value as { readonly [K in keyof HeaderBackoff]?: unknown };
  return isAmount(base) && isAmount(factor) && isAmount(max) && isAmount(jitter);
}

function isText(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}

function isOneOf(value: unknown, ...allowed: readonly string[]): boolean {
  return value === undefined || allowed.includes(value as string);
}

function isAmount(value: unknown): boolean {
  return value === undefined || (typeof value === "number" && value >= 0 && value < Infinity);
}
