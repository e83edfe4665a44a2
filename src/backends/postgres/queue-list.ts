import type { ListedMessage } from "../../contracts/broker.js";
import { listed, queueStart, readCursor, type ListedRow } from "../sql/queue-cursor.js";
import type { Queries } from "./connections.js";
import { statement } from "./statement.js";

const freeSql = statement(
  "list-free",
  `SELECT seq, id, envelope, rank, due_at FROM {message}
   WHERE project = $1 AND queue = $2 AND owner IS NULL AND (rank, due_at, seq) > ($3, $4, $5)
   ORDER BY rank, due_at, seq LIMIT $6`,
);

const delayedSql = statement(
  "list-delayed",
  `SELECT seq, id, envelope, rank, due_at FROM {message}
   WHERE project = $1 AND queue = $2 AND owner = 0 AND (due_at, seq) > ($3, $4)
   ORDER BY due_at, seq LIMIT $5`,
);

/** Free messages in the order in which they are taken, then those that wait for their time, the next one first. */
export async function listQueue(
  database: Queries,
  queue: string,
  page: { readonly limit: number; readonly after?: string | undefined },
): Promise<ListedMessage[]> {
  const after = readCursor(page.after);
  const free =
    after.part === "delayed"
      ? []
      : await database.all<ListedRow>(freeSql, [queue, after.rank, after.dueAt, after.seq, page.limit]);
  const from = after.part === "delayed" ? after : queueStart;
  const left = page.limit - free.length;
  const delayed = left <= 0 ? [] : await database.all<ListedRow>(delayedSql, [queue, from.dueAt, from.seq, left]);
  return [...free.map((row) => listed(row, "free")), ...delayed.map((row) => listed(row, "delayed"))];
}
