import type { Executor } from "../contracts/transaction.js";
import { libsqlClient } from "./libsql-client.js";
import { pgClient } from "./pg-client.js";
import { postgresJs } from "./postgres-js.js";
import { hasMethods, memberOf, notATransaction, otherDialect } from "./shape.js";
import type { Shape } from "./shape.js";
import { sqliteHandle } from "./sqlite-handle.js";

const library = "Drizzle";

/** The `tx` of Drizzle's `db.transaction`: its session knows the driver's own transaction, which is written on. */
export function drizzle(tx: Shape): Executor | undefined {
  const session = memberOf(tx, "session");
  if (session === undefined || memberOf(tx, "dialect") === undefined || !hasMethods(tx, "select", "insert")) {
    return undefined;
  }
  if (!hasMethods(tx, "rollback")) {
    throw notATransaction(library, "the database", "Hand in the `tx` that db.transaction(…) gives to its function.");
  }
  const own = memberOf(session, "tx") ?? memberOf(session, "client");
  const executor =
    own === undefined ? undefined : (libsqlClient(own) ?? pgClient(own) ?? postgresJs(own) ?? sqliteHandle(own));
  if (executor === undefined) throw otherDialect(library, "a driver that is not known here");
  return { ...executor, library: `${library} on ${executor.library}` };
}
