import type { Executor, SqlRow } from "../contracts/transaction.js";
import { TransactionError } from "../errors.js";
import { numberedPlaceholders } from "./placeholders.js";
import { callMethod, closedTransaction, hasMethods, memberOf, notATransaction } from "./shape.js";
import type { Shape } from "./shape.js";

const library = "pg";

/** A client of `pg`, of its own or taken from a pool, on which BEGIN has been sent. */
export function pgClient(tx: Shape): Executor | undefined {
  if (!hasMethods(tx, "query", "connect")) return undefined;
  if (typeof tx["totalCount"] === "number" && typeof tx["idleCount"] === "number") {
    throw notATransaction(library, "a pool", 'Take a client with pool.connect(), and send "BEGIN" on it.');
  }
  if (memberOf(tx, "connectionParameters") === undefined) return undefined;
  let isKnown = hasMethods(tx, "getTransactionStatus");
  return {
    dialect: "postgres",
    library,
    // A client does not say which pool it is from; it is checked once, as long as it lives.
    source: tx,
    connection: tx,
    synchronous: false,
    assertOpen: () => assertOpen(tx),
    run: async ({ sql, parameters: values }) => {
      if (!isKnown) await assertBegun(tx);
      isKnown = true;
      const query = { text: numberedPlaceholders(sql), values: [...values] };
      return (await callMethod<Promise<{ rows: readonly SqlRow[] }>>(tx, "query", query)).rows;
    },
  };
}

/** Outside a transaction, each statement is one: they begin at the same moment. */
async function assertBegun(tx: Shape): Promise<void> {
  const text = "SELECT (transaction_timestamp() = statement_timestamp())::text AS alone";
  const { rows } = await callMethod<Promise<{ rows: readonly SqlRow[] }>>(tx, "query", text);
  if (rows[0]?.["alone"] === "true") throw closedTransaction(library);
}

/** `I`: idle, `E`: failed. Older versions of pg do not say. */
function assertOpen(tx: Shape): void {
  if (!hasMethods(tx, "getTransactionStatus")) return;
  const status = callMethod<string | null>(tx, "getTransactionStatus");
  if (status === "E") {
    throw new TransactionError(
      "A statement of this transaction of pg has failed already, so it can only be rolled back. Nothing was enqueued.",
    );
  }
  if (status !== "T") throw closedTransaction(library);
}
