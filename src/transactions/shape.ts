import { TransactionError } from "../errors.js";

/** A foreign object, looked at by its members. */
export type Shape = Readonly<Record<string, unknown>>;

/** `undefined` for what has no members. Functions are objects too: two libraries use them as transactions. */
export function shapeOf(value: unknown): Shape | undefined {
  if ((typeof value === "object" && value !== null) || typeof value === "function") return value as unknown as Shape;
  return undefined;
}

/** Whether all these members are functions. */
export function hasMethods(shape: Shape, ...names: readonly string[]): boolean {
  return names.every((name) => typeof shape[name] === "function");
}

/** The member as an object with members of its own. */
export function memberOf(shape: Shape, name: string): Shape | undefined {
  return shapeOf(shape[name]);
}

/** Calls a method of a foreign object. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows the library
export function callMethod<T>(shape: Shape, name: string, ...args: readonly unknown[]): T {
  return (shape[name] as (...args: unknown[]) => T).apply(shape, [...args]);
}

/** What to say of an object that would be one transaction too early: a pool, a data source, a client. */
export function notATransaction(library: string, what: string, instead: string): TransactionError {
  return new TransactionError(
    `This is ${what} of ${library}, and not a transaction: each of its statements would be committed by itself. ${instead}`,
  );
}

/** @throws {TransactionError} */
export function closedTransaction(library: string): TransactionError {
  return new TransactionError(
    `No transaction of ${library} is open on this connection, so what is enqueued could not be rolled back with it. ` +
      "Begin one first, and enqueue before it is committed.",
  );
}

export function otherDialect(library: string, dialect: string): TransactionError {
  return new TransactionError(
    `This transaction of ${library} is on "${dialect}". Qluster writes on transactions of Postgres and SQLite; ` +
      "for others there is q.afterCommit.",
  );
}
