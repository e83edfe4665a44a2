import type { Settlement, TaskKind } from "../../contracts/store.js";
import { detailTables } from "./held-messages.js";
import { keepOutcomes } from "./schedule-runs.js";
import type { Session } from "./project-file.js";
import { heldMessage } from "../sql/receipt.js";

/** A message that was removed. */
export interface RemovedMessage {
  readonly id: string;
  readonly queue: string;
  readonly kind: TaskKind;
  readonly member: string | null;
  readonly parent: string | null;
}

const removeSql = `
  DELETE FROM qluster_message WHERE seq IN (
    SELECT m.seq FROM json_each(?) ended CROSS JOIN qluster_message m ON m.seq = json_extract(ended.value, '$[0]')
    WHERE m.id = json_extract(ended.value, '$[1]') AND m.owner = ?)
  RETURNING id, queue, kind, member, parent`;

/** Removes messages whose success leaves no record, all at once, with their attempts and notes. Resolves to those that were still ours. */
export function removeUnkept(
  session: Session,
  consumer: number,
  settlements: readonly Settlement[],
): ReadonlyMap<string, RemovedMessage> {
  if (settlements.length === 0) return new Map();
  const messages = settlements.map(({ receipt, id }) => [heldMessage(receipt).seq, id]);
  const removed = session.all<RemovedMessage>(removeSql, [JSON.stringify(messages), consumer]);
  const ids = JSON.stringify(removed.map(({ id }) => id));
  for (const table of detailTables) {
    session.run(`DELETE FROM ${table} WHERE project = ? AND id IN (SELECT value FROM json_each(?))`, [
      session.project,
      ids,
    ]);
  }
  keepOutcomes(
    session,
    removed.map(({ id, kind, parent }) => ({ id, state: "succeeded", kind, parent })),
  );
  return new Map(removed.map((message) => [message.id, message]));
}
