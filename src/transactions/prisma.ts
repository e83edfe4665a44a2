import type { Executor, SqlDialect, SqlRow } from "../contracts/transaction.js";
import { numberedPlaceholders } from "./placeholders.js";
import { callMethod, hasMethods, memberOf, notATransaction, otherDialect } from "./shape.js";
import type { Shape } from "./shape.js";

const library = "Prisma";
const dialects: Readonly<Record<string, SqlDialect>> = {
  postgresql: "postgres",
  cockroachdb: "postgres",
  sqlite: "sqlite",
};

/** The client that an interactive `$transaction` hands to its function. */
export function prisma(tx: Shape): Executor | undefined {
  if (!hasMethods(tx, "$queryRawUnsafe", "$executeRawUnsafe")) return undefined;
  if (hasMethods(tx, "$connect")) {
    throw notATransaction(library, "the client", "Hand in what prisma.$transaction(async (tx) => …) gives.");
  }
  const provider = String(tx["_activeProvider"]);
  const dialect = dialects[provider];
  if (dialect === undefined) throw otherDialect(library, provider);
  return {
    dialect,
    library,
    source: memberOf(tx, "_engineConfig") ?? memberOf(tx, "_originalClient") ?? tx,
    connection: tx,
    synchronous: false,
    assertOpen: () => {},
    run: ({ sql, parameters }) => {
      const text = dialect === "postgres" ? numberedPlaceholders(sql) : sql;
      return callMethod<Promise<readonly SqlRow[]>>(tx, "$queryRawUnsafe", text, ...parameters);
    },
  };
}
