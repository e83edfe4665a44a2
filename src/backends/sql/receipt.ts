import type { Receipt } from "../../contracts/broker.js";

/** A message by its row and its id: a row's number may be used again, after the last row of a table was deleted. */
export interface HeldMessage {
  readonly seq: number;
  readonly id: string;
}

export function receiptOf(seq: number, id: string): string {
  return `${seq}.${id}`;
}

/** What a receipt stands for. A text that never was a receipt gives a message that does not exist. */
export function heldMessage(receipt: Receipt): HeldMessage {
  const text = String(receipt);
  const dot = text.indexOf(".");
  const seq = Number(text.slice(0, dot));
  return { seq: Number.isSafeInteger(seq) ? seq : -1, id: text.slice(dot + 1) };
}

/** A consumer's number, as the column `owner` has it. An id of another backend gives one that does not exist. */
export function consumerNumber(id: string): number {
  const seq = Number(id);
  return Number.isSafeInteger(seq) && seq > 0 ? seq : -1;
}
