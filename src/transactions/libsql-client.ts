import type { Executor, SqlRow } from "../contracts/transaction.js";
import { callMethod, closedTransaction, hasMethods, notATransaction } from "./shape.js";
import type { Shape } from "./shape.js";

const library = "@libsql/client";

/** What `client.transaction("write")` of `@libsql/client` gives. */
export function libsqlClient(tx: Shape): Executor | undefined {
  if (!hasMethods(tx, "execute", "batch", "executeMultiple")) return undefined;
  if (hasMethods(tx, "transaction")) {
    throw notATransaction(library, "a client", 'Hand in what client.transaction("write") gives.');
  }
  return {
    dialect: "sqlite",
    library,
    source: tx,
    connection: tx,
    synchronous: false,
    assertOpen: () => {
      if (tx["closed"] === true) throw closedTransaction(library);
    },
    run: async ({ sql, parameters: args }) =>
      (await callMethod<Promise<{ rows: readonly SqlRow[] }>>(tx, "execute", { sql, args })).rows,
  };
}
