import type { Executor, SqlDialect, SqlRow } from "../contracts/transaction.js";
import { numberedPlaceholders } from "./placeholders.js";
import { callMethod, hasMethods, memberOf, notATransaction, otherDialect, shapeOf } from "./shape.js";
import type { Shape } from "./shape.js";

const library = "Kysely";

/** A `Transaction` or `ControlledTransaction` of Kysely. */
export function kysely(tx: Shape): Executor | undefined {
  if (!hasMethods(tx, "executeQuery", "getExecutor", "selectFrom")) return undefined;
  if (tx["isTransaction"] !== true) {
    throw notATransaction(library, "the database", "Hand in what db.transaction().execute(…) gives to its function.");
  }
  const adapter = memberOf(callMethod<Shape>(tx, "getExecutor"), "adapter") ?? {};
  const dialect = dialectOf(adapter);
  return {
    dialect,
    library,
    source: adapter,
    connection: tx,
    synchronous: false,
    assertOpen: () => {},
    run: async ({ sql, parameters }) => {
      const text = dialect === "postgres" ? numberedPlaceholders(sql) : sql;
      const compiled = { sql: text, parameters, query: { kind: "RawNode" }, queryId: { queryId: "qluster" } };
      return (await callMethod<Promise<{ rows: readonly SqlRow[] }>>(tx, "executeQuery", compiled)).rows;
    },
  };
}

/** By what its adapter can do: of Kysely's dialects, these two have RETURNING. */
function dialectOf(adapter: Shape): SqlDialect {
  if (adapter["supportsReturning"] === true)
    return adapter["supportsTransactionalDdl"] === true ? "postgres" : "sqlite";
  throw otherDialect(library, String(shapeOf(adapter["constructor"])?.["name"]));
}
