import type { ErrorRecord } from "../contracts/store.js";
import type { Entry } from "./entry.js";

export type Refusal =
  | { readonly to: "expired"; readonly error: ErrorRecord }
  | { readonly to: "failed"; readonly error: ErrorRecord };

/** Why a message that was taken must not start; `undefined` when it may. */
export function refusalOf({ delivery, policy }: Entry, maxDeliveries: number): Refusal | undefined {
  if (delivery.expired) {
    return { to: "expired", error: record("ExpiredError", "It was not started before it expired.") };
  }
  if (delivery.deliveries > maxDeliveries) {
    const message =
      `It was handed out ${delivery.deliveries} times and never ended, so it is set aside as poison ` +
      `(maxDeliveries is ${maxDeliveries}). Its attempts say where it ran.`;
    return { to: "failed", error: { ...record("PoisonError", message), dead: "poison" } };
  }
  if (policy.attempts !== 0 && delivery.attempts >= policy.attempts) {
    const message = `All ${policy.attempts} attempts are used up; the cluster that ran the last one died.`;
    return { to: "failed", error: record("LostError", message) };
  }
  return undefined;
}

/** First and longest wait before a message with an unknown name is looked at again, in milliseconds. */
const unknownWait = { first: 1_000, longest: 30_000 } as const;

/**
 * How long to put a message aside whose task nobody here knows; `undefined` when it has waited long enough. Short at first:
 * a cluster that knows the name must win the race for it soon.
 *
 * @param ageMs - Since this cluster first met it.
 */
export function unknownDelay(ageMs: number, unknownForMs: number): number | undefined {
  if (ageMs >= unknownForMs) return undefined;
  const wait = Math.min(unknownWait.longest, Math.max(unknownWait.first, ageMs / 4));
  return Math.min(wait, unknownForMs - ageMs);
}

function record(name: string, message: string): ErrorRecord {
  return { name, message, stack: null };
}
