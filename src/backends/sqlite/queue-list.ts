import type { ListedMessage } from "../../contracts/broker.js";
import { listed, queueStart, readCursor, type ListedRow } from "../sql/queue-cursor.js";
import type { Session } from "./project-file.js";

const listFreeSql = `
  SELECT seq, id, envelope, rank, due_at FROM qluster_message INDEXED BY qluster_message_free
  WHERE project = ?1 AND queue = ?2 AND owner IS NULL AND (rank, due_at, seq) > (?3, ?4, ?5)
  ORDER BY rank, due_at, seq LIMIT ?6`;

const listDelayedSql = `
  SELECT seq, id, envelope, rank, due_at FROM qluster_message INDEXED BY qluster_message_delayed
  WHERE project = ?1 AND queue = ?2 AND owner = 0 AND (due_at, seq) > (?3, ?4)
  ORDER BY due_at, seq LIMIT ?5`;

/** Free messages in the order in which they are taken, then those that wait for their time, the next one first. */
export function listQueue(
  session: Session,
  queue: string,
  page: { readonly limit: number; readonly after?: string | undefined },
): ListedMessage[] {
  const after = readCursor(page.after);
  const { project } = session;
  const free =
    after.part === "delayed"
      ? []
      : session.all<ListedRow>(listFreeSql, [project, queue, after.rank, after.dueAt, after.seq, page.limit]);
  const from = after.part === "delayed" ? after : queueStart;
  const delayed = session.all<ListedRow>(listDelayedSql, [
    project,
    queue,
    from.dueAt,
    from.seq,
    page.limit - free.length,
  ]);
  return [...free.map((row) => listed(row, "free")), ...delayed.map((row) => listed(row, "delayed"))];
}
