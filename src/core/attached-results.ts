import type { MemberOutcome } from "../contracts/flows.js";
import { EnvelopeError } from "../errors.js";
import { memberId } from "./flow.js";
import type { HeaderBefore } from "./task-header.js";

/** Which run of a link gave the result, and the result as its worker sealed it; `null`: it gave none. */
type Attached = readonly [run: number, result: string | null];

/** Adds the results of the step before to a sealed link, as its fourth line. @param before - By place. */
export function attachResults(envelope: string, before: readonly MemberOutcome[]): string {
  const attached = before.map(({ run, result }): Attached => [run, result]);
  return `${envelope}\n${JSON.stringify(attached)}`;
}

/** The three lines that were sealed, and what was attached; `undefined`: nothing. No line of an envelope has a break in it. */
export function detach(envelope: string): { readonly sealed: string; readonly attached: string | undefined } {
  const header = envelope.indexOf("\n");
  const body = envelope.indexOf("\n", header + 1);
  const signature = body === -1 ? -1 : envelope.indexOf("\n", body + 1);
  if (signature === -1) return { sealed: envelope, attached: undefined };
  return { sealed: envelope.slice(0, signature), attached: envelope.slice(signature + 1) };
}

/**
 * What `previous()` stands for.
 *
 * @param before - From the sealed header of the link: it says whose results these must be.
 * @param open - Opens a sealed result, or throws.
 * @throws {EnvelopeError} when something else was attached.
 */
export function previousResult(
  before: HeaderBefore,
  attached: string,
  open: (id: string, sealed: string) => unknown,
): unknown {
  const list = readAttached(attached);
  if (list?.length !== before.to - before.from) throw unfit(before, "other results than those of the link before it");
  const results = list.map(([run, result], index) => {
    const place = before.from + index;
    if (result !== null) return open(memberId(before.flow, place, run), result);
    if (!before.continues) throw unfit(before, `no result of the link at place ${place}`);
    return undefined;
  });
  return before.parallel ? results : results[0];
}

function readAttached(text: string): readonly Attached[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every(isAttached) ? list : undefined;
  } catch {
    return undefined;
  }
}

function isAttached(value: unknown): value is Attached {
  if (!Array.isArray(value)) return false;
  const [run, result] = value as readonly unknown[];
  return Number.isSafeInteger(run) && (result === null || typeof result === "string");
}

function unfit({ flow }: HeaderBefore, what: string): EnvelopeError {
  return new EnvelopeError("unreadable", `The message of a link of chain ${flow} carries ${what}.`);
}
