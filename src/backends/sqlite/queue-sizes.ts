import { detailTables } from "./held-messages.js";
import type { SqlValue } from "./driver.js";
import type { Session } from "./project-file.js";

/** Waiting messages of one queue, or of all. */
export function countWaiting(session: Session, queue: string | undefined): number {
  return (
    count(session, "INDEXED BY qluster_message_free", "owner IS NULL", queue) +
    count(session, "INDEXED BY qluster_message_delayed", "owner = 0", queue)
  );
}

/** Held messages of one queue, or of all. */
export function countHeld(session: Session, queue: string | undefined): number {
  return count(session, "INDEXED BY qluster_message_held", "owner > 0", queue);
}

function count(session: Session, index: string, which: string, queue: string | undefined): number {
  const parameters: SqlValue[] = [session.project];
  if (queue !== undefined) parameters.push(queue);
  const row = session.first<{ n: number }>(
    `SELECT count(*) AS n FROM qluster_message ${index} WHERE ${which} AND project = ?` +
      (queue === undefined ? "" : " AND queue = ?"),
    parameters,
  );
  return row?.n ?? 0;
}

/** Removes what waits in a queue, or with `held` all of it, and the attempts and notes that belong to it. */
export function emptyQueue(session: Session, queue: string, held: boolean): number {
  const which = `project = ?1 AND queue = ?2${held ? "" : " AND (owner IS NULL OR owner = 0)"}`;
  for (const table of detailTables) {
    session.run(`DELETE FROM ${table} WHERE project = ?1 AND id IN (SELECT id FROM qluster_message WHERE ${which})`, [
      session.project,
      queue,
    ]);
  }
  return session.run(`DELETE FROM qluster_message WHERE ${which}`, [session.project, queue]);
}
