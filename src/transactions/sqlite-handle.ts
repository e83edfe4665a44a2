import type { Executor, SqlRow } from "../contracts/transaction.js";
import { callMethod, closedTransaction, hasMethods, memberOf, shapeOf } from "./shape.js";
import type { Shape } from "./shape.js";

/**
 * A handle of `better-sqlite3`, `libsql` or `node:sqlite`: a connection, and so the place of the transaction that is open
 * on it.
 */
export function sqliteHandle(tx: Shape): Executor | undefined {
  if (!hasMethods(tx, "prepare", "exec", "close") || hasMethods(tx, "query")) return undefined;
  const library = libraryOf(tx);
  if (library === undefined) return undefined;
  const statements = statementsOf(tx);
  return {
    dialect: "sqlite",
    library,
    source: tx,
    connection: tx,
    synchronous: true,
    assertOpen: () => {
      if (!isOpen(tx)) throw closedTransaction(library);
    },
    run: ({ sql, parameters }) => {
      let statement = statements.get(sql);
      if (statement === undefined) statements.set(sql, (statement = shapeOf(callMethod(tx, "prepare", sql))!));
      // libsql mistakes a lone `null` for a set of named parameters, and node:sqlite takes no array.
      const given = library === "node:sqlite" ? parameters : [parameters];
      return callMethod<SqlRow[]>(statement, "all", ...given);
    },
  };
}

const prepared = new WeakMap<Shape, Map<string, Shape>>();

function statementsOf(tx: Shape): Map<string, Shape> {
  let statements = prepared.get(tx);
  if (statements === undefined) prepared.set(tx, (statements = new Map()));
  return statements;
}

function libraryOf(tx: Shape): "better-sqlite3" | "libsql" | "node:sqlite" | undefined {
  // libsql has every method of the other, and a few more.
  if (typeof tx["inTransaction"] === "boolean") return hasMethods(tx, "sync") ? "libsql" : "better-sqlite3";
  return memberOf(tx, "constructor")?.["name"] === "DatabaseSync" ? "node:sqlite" : undefined;
}

function isOpen(tx: Shape): boolean {
  const known = tx["inTransaction"] ?? tx["isTransaction"];
  return typeof known === "boolean" ? known : cannotBegin(tx);
}

/** Older versions of `node:sqlite` do not say. BEGIN takes no lock, and is refused inside a transaction. */
function cannotBegin(tx: Shape): boolean {
  try {
    callMethod(tx, "exec", "BEGIN");
  } catch {
    return true;
  }
  callMethod(tx, "exec", "ROLLBACK");
  return false;
}
