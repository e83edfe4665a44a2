import type { Executor, SqlDialect, SqlRow } from "../contracts/transaction.js";
import { numberedPlaceholders } from "./placeholders.js";
import { callMethod, closedTransaction, hasMethods, memberOf, notATransaction, otherDialect } from "./shape.js";
import type { Shape } from "./shape.js";

const library = "TypeORM";
const dialects: Readonly<Record<string, SqlDialect>> = {
  postgres: "postgres",
  "better-sqlite3": "sqlite",
  sqlite: "sqlite",
};

/** The `EntityManager` of a transaction, or its `QueryRunner`. */
export function typeorm(tx: Shape): Executor | undefined {
  if (hasMethods(tx, "createQueryRunner", "getRepository", "initialize")) throw noTransaction("a data source");
  if (hasMethods(tx, "getRepository", "query", "withRepository")) {
    const runner = memberOf(tx, "queryRunner");
    if (runner === undefined) throw noTransaction("the entity manager of the whole data source");
    return queryRunner(runner);
  }
  return hasMethods(tx, "startTransaction", "commitTransaction", "query") ? queryRunner(tx) : undefined;
}

function noTransaction(what: string): Error {
  return notATransaction(library, what, "Hand in the manager that dataSource.transaction(…) gives to its function.");
}

function queryRunner(runner: Shape): Executor {
  const source = memberOf(runner, "connection") ?? runner;
  const name = String(memberOf(source, "options")?.["type"]);
  const dialect = dialects[name];
  if (dialect === undefined) throw otherDialect(library, name);
  return {
    dialect,
    library,
    source,
    connection: runner,
    synchronous: false,
    assertOpen: () => {
      if (runner["isTransactionActive"] !== true) throw closedTransaction(library);
    },
    run: async ({ sql, parameters }) => {
      const text = dialect === "postgres" ? numberedPlaceholders(sql) : sql;
      // `true`: the rows by themselves, whatever kind of statement it is.
      const answer = await callMethod<Promise<{ records?: readonly SqlRow[] }>>(
        runner,
        "query",
        text,
        parameters,
        true,
      );
      return answer.records ?? [];
    },
  };
}
