import type { ListedMessage } from "../../contracts/broker.js";
import { priorityOf } from "./task-row.js";

/** A waiting message as a list of its queue shows it. */
export interface ListedRow {
  readonly seq: number;
  readonly id: string;
  readonly envelope: string;
  readonly rank: number;
  readonly due_at: number;
}

/** Where a page ended: among the free messages, or among those that wait for their time. */
export interface QueueCursor {
  readonly part: "free" | "delayed";
  readonly rank: number;
  readonly dueAt: number;
  readonly seq: number;
}

export const queueStart: QueueCursor = { part: "free", rank: -1e6, dueAt: -1, seq: -1 };

export function listed(row: ListedRow, part: QueueCursor["part"]): ListedMessage {
  const { id, envelope, rank, due_at: dueAt, seq } = row;
  return { id, envelope, dueAt, priority: priorityOf(rank), held: false, cursor: `${part}:${rank}:${dueAt}:${seq}` };
}

export function readCursor(text: string | undefined): QueueCursor {
  if (text === undefined) return queueStart;
  const [part, rank, dueAt, seq] = text.split(":");
  return { part: part === "delayed" ? "delayed" : "free", rank: Number(rank), dueAt: Number(dueAt), seq: Number(seq) };
}
