import type { BackendOptions } from "../contracts/backend.js";
import type { TransactionWriter } from "../contracts/transaction.js";
import { openBackendAt } from "./open-backend.js";

/** Those that need no connection of their own, and so can be had before anybody asks. */
const connectionless: Readonly<Record<string, () => Promise<{ readonly writerAt: WriterAt }>>> = {
  sqlite: () => import("../backends/sqlite/transactions.js"),
};

type WriterAt = (options: BackendOptions) => TransactionWriter;

/**
 * Writes on transactions of the application, for a process that does nothing else with the database. `undefined`: it takes
 * a connection; see {@link openWriter}.
 */
export async function writerAt(scheme: string, options: BackendOptions): Promise<TransactionWriter | undefined> {
  return (await connectionless[scheme]?.())?.writerAt(options);
}

/** The same through a connection. `undefined` where there are no transactions to write on. */
export async function openWriter(scheme: string, options: BackendOptions): Promise<TransactionWriter | undefined> {
  const { transactions } = await openBackendAt(scheme, options);
  await transactions?.ready();
  return transactions;
}
