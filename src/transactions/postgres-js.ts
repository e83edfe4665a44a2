import type { Executor, SqlRow } from "../contracts/transaction.js";
import { numberedPlaceholders } from "./placeholders.js";
import { callMethod, hasMethods, notATransaction, shapeOf } from "./shape.js";
import type { Shape } from "./shape.js";

const library = "postgres.js";

/** The `sql` that `sql.begin` hands to its function. */
export function postgresJs(tx: Shape): Executor | undefined {
  if (typeof tx !== "function" || !hasMethods(tx, "unsafe", "typed", "file")) return undefined;
  if (!hasMethods(tx, "savepoint")) {
    throw notATransaction(library, "the connection pool", "Hand in the `sql` that sql.begin gives to its function.");
  }
  return {
    dialect: "postgres",
    library,
    // One function for all connections of a pool.
    source: shapeOf(tx["notify"]) ?? tx,
    connection: tx,
    synchronous: false,
    assertOpen: () => {},
    run: ({ sql, parameters }) =>
      callMethod<Promise<readonly SqlRow[]>>(tx, "unsafe", numberedPlaceholders(sql), [...parameters]),
  };
}
