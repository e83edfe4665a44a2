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
  /** How long the cache keeps the result; `null` for ever. */
  readonly cached?: number | null;
  readonly hook?: string;
  readonly hookOn?: "final" | "attempt";
  /** Of a hook: the task that it belongs to. Of a slot: its schedule. */
  readonly parent?: string;
  /** When it was asked to start, in milliseconds since 1970; absent when at once. */
  readonly due?: number;
  /** Of a schedule: the name in the last argument under which each task gets its slot. */
  readonly intended?: string;
  /** Of a link that is not in the first step of its chain: whose results `previous()` stands for. */
  readonly before?: HeaderBefore;
  /** Of the record of a flow: what it is, and which tasks are called at its end, beside `hook`. */
  readonly flow?: HeaderFlow;
  /** A member of a chain, an iterable or a batch, which has to be told of its end. */
  readonly member?: true;
  /** Called with each finished member of a batch, beside `hook`. */
  readonly each?: string;
}

export interface HeaderBefore {
  readonly flow: string;
  /** The places of the step before: from this one up to, and not with, the other. */
  readonly from: number;
  readonly to: number;
  /** The step before is a `parallel([...])`: its results come as an array. */
  readonly parallel: boolean;
  /** A link before may have failed; `previous()` is `undefined` then. */
  readonly continues: boolean;
}

export interface HeaderFlow {
  readonly kind: "chain" | "iter" | "batch";
  /** Of a chain: which steps are a `parallel([...])`, and how many links each has. */
  readonly parallel?: Readonly<Record<string, number>>;
  /** Of a batch. */
  readonly size?: number;
  readonly onSuccess?: string;
  readonly onFailure?: string;
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
  // Most headers name few of them, and each message is read here twice.
  for (const key of Object.keys(header)) {
    const value = header[key as keyof TaskHeader];
    if (checks.get(key)?.(value) === false) return false;
  }
  return true;
}

function isBackoff(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { base, factor, max, jitter } = value as { readonly [K in keyof HeaderBackoff]?: unknown };
  return isAmount(base) && isAmount(factor) && isAmount(max) && isAmount(jitter);
}

function isBefore(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { flow, from, to, parallel, continues } = value as { readonly [K in keyof HeaderBefore]?: unknown };
  const isRange = Number.isSafeInteger(from) && Number.isSafeInteger(to);
  return typeof flow === "string" && isRange && typeof parallel === "boolean" && typeof continues === "boolean";
}

function isFlow(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { kind, onSuccess, onFailure, parallel } = value as { readonly [K in keyof HeaderFlow]?: unknown };
  const isKnown = kind === "chain" || kind === "iter" || kind === "batch";
  if (!isAmount((value as HeaderFlow).size)) return false;
  return isKnown && isText(onSuccess) && isText(onFailure) && (parallel === undefined || typeof parallel === "object");
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

/** Of what may be present; keys that nobody knows are passed over. */
const checks: ReadonlyMap<string, (value: unknown) => boolean> = new Map<keyof TaskHeader, (value: unknown) => boolean>(
  [
    ["name", isText],
    ["group", isText],
    ["hook", isText],
    ["parent", isText],
    ["intended", isText],
    ["each", isText],
    ["kind", (value) => isOneOf(value, "hook", "schedule", "slot")],
    ["hookOn", (value) => isOneOf(value, "final", "attempt")],
    ["timeout", (value) => value === null || isAmount(value)],
    ["cached", (value) => value === null || isAmount(value)],
    ["attempts", isAmount],
    ["due", isAmount],
    ["priority", Number.isFinite],
    ["save", (value) => typeof value === "boolean"],
    ["member", (value) => value === true],
    ["backoff", isBackoff],
    ["before", isBefore],
    ["flow", isFlow],
  ],
);
