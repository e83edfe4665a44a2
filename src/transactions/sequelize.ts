import type { Executor } from "../contracts/transaction.js";
import { pgClient } from "./pg-client.js";
import { callMethod, closedTransaction, hasMethods, memberOf, notATransaction, otherDialect } from "./shape.js";
import type { Shape } from "./shape.js";

const library = "Sequelize";

/** A `Transaction` of Sequelize on Postgres, which has a client of `pg` for itself. */
export function sequelize(tx: Shape): Executor | undefined {
  if (hasMethods(tx, "getDialect", "authenticate", "define")) {
    throw notATransaction(library, "the instance", "Hand in what sequelize.transaction(…) gives.");
  }
  const instance = memberOf(tx, "sequelize");
  if (instance === undefined || !hasMethods(tx, "commit", "rollback", "afterCommit")) return undefined;
  const dialect = callMethod<string>(instance, "getDialect");
  const client = memberOf(tx, "connection");
  const executor = client === undefined ? undefined : pgClient(client);
  if (dialect !== "postgres") throw otherDialect(library, dialect);
  if (executor === undefined || tx["finished"] !== undefined) throw closedTransaction(library);
  return {
    ...executor,
    library,
    source: instance,
    assertOpen: () => {
      if (tx["finished"] !== undefined) throw closedTransaction(library);
      executor.assertOpen();
    },
  };
}
