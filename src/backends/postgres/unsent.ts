import type { Queries } from "./connections.js";

/** The same, for what the caller does not know of: with a broker elsewhere others send it, at once. */
export function unsent(inside: Queries): Queries {
  const { outbox } = inside;
  return outbox === null ? inside : { ...inside, outbox: { ...outbox, handMs: 0 } };
}
