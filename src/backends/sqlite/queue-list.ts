import type { ListedMessage } from "../../contracts/broker.js";
import { priorityOf } from "../sql/task-row.js";
import type { Session } from "./project-file.js";

interface ListedRow {
  readonly seq: number;
  readonly id: string;
  readonly envelope: string;
  readonly rank: number;
  readonly due_at: number;
}

/** Where a page ended: among the free messages, or among those that wait for their time. */
interface Cursor {
  readonly part: "free" | "delayed";
  readonly rank: number;
  readonly dueAt: number;
  readonly seq: number;
}

const listFreeSql = `
  SELECT seq, id, envelope, rank, due_at FROM qluster_message INDEXED BY qluster_message_free
  WHERE project = ?1 AND queue = ?2 AND owner IS NULL AND (rank, due_at, seq) > (?3, ?4, ?5)
  ORDER BY rank, due_at, seq LIMIT ?6`;

const listDelayedSql = `
  SELECT seq, id, envelope, rank, due_at FROM qluster_message INDEXED BY qluster_message_delayed
  WHERE project = ?1 AND queue = ?2 AND owner = 0 AND (due_at, seq) > (?3, ?4)
  ORDER BY due_at, seq LIMIT ?5`;

const start: Cursor = { part: "free", rank: -1e6, dueAt: -1, seq: -1 };

/** Free messages in the order in which they are taken, then those that wait for their time, the next one first. */
export function listQueue(
  session: Session,
  queue: string,
  page: { readonly limit: number; readonly after?: string | undefined },
): ListedMessage[] {
  const after = page.after === undefined ? start : readCursor(page.after);
  const { project } = session;
  const free =
    after.part === "delayed"
      ? []
      : session.all<ListedRow>(listFreeSql, [project, queue, after.rank, after.dueAt, after.seq, page.limit]);
  const from = after.part === "delayed" ? after : start;
  const delayed = session.all<ListedRow>(listDelayedSql, [
    project,
    queue,
    from.dueAt,
    from.seq,
    page.limit - free.length,
  ]);
  return [...free.map((row) => listed(row, "free")), ...delayed.map((row) => listed(row, "delayed"))];
}

function listed(row: ListedRow, part: Cursor["part"]): ListedMessage {
  const { id, envelope, rank, due_at: dueAt, seq } = row;
  return { id, envelope, dueAt, priority: priorityOf(rank), held: false, cursor: `${part}:${rank}:${dueAt}:${seq}` };
}

function readCursor(text: string): Cursor {
  const [part, rank, dueAt, seq] = text.split(":");
  return { part: part === "delayed" ? "delayed" : "free", rank: Number(rank), dueAt: Number(dueAt), seq: Number(seq) };
}
