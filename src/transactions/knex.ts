import type { Executor, SqlDialect, SqlRow } from "../contracts/transaction.js";
import { callMethod, closedTransaction, hasMethods, memberOf, notATransaction, otherDialect } from "./shape.js";
import type { Shape } from "./shape.js";

const library = "Knex";
const dialects: Readonly<Record<string, SqlDialect>> = { postgresql: "postgres", sqlite3: "sqlite" };

/** A `Transaction` of Knex. */
export function knex(tx: Shape): Executor | undefined {
  const client = memberOf(tx, "client");
  if (typeof tx !== "function" || client === undefined || !hasMethods(tx, "raw", "transaction")) return undefined;
  if (tx["isTransaction"] !== true) {
    throw notATransaction(library, "the database", "Hand in what knex.transaction(…) gives.");
  }
  const name = String(client["dialect"]);
  const dialect = dialects[name];
  if (dialect === undefined) throw otherDialect(library, name);
  return {
    dialect,
    library,
    source: memberOf(client, "config") ?? client,
    connection: tx,
    synchronous: false,
    assertOpen: () => {
      if (hasMethods(tx, "isCompleted") && callMethod<boolean>(tx, "isCompleted")) throw closedTransaction(library);
    },
    // Knex puts in the placeholders of the dialect by itself.
    run: async ({ sql, parameters }) => {
      const answer = await callMethod<Promise<readonly SqlRow[] | { rows: readonly SqlRow[] }>>(tx, "raw", sql, [
        ...parameters,
      ]);
      return "rows" in answer ? answer.rows : answer;
    },
  };
}
