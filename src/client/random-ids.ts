import { randomFillSync } from "node:crypto";
import { makeId } from "../core/ids.js";

const perId = 10;
// Random bytes cost little in bulk and much one by one.
const pool = new Uint8Array(perId * 1_024);
let at = pool.length;

/** A new task id. */
export function newId(): string {
  if (at === pool.length) {
    randomFillSync(pool);
    at = 0;
  }
  const from = at;
  at += perId;
  return makeId(Date.now(), pool, from);
}
