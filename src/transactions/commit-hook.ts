import { TransactionError } from "../errors.js";
import { callMethod, hasMethods, memberOf, shapeOf } from "./shape.js";
import type { Shape } from "./shape.js";

/** Calls `committed` once the transaction has committed, and never when it is rolled back. */
export type CommitHook = (committed: () => Promise<void>) => void;

/**
 * How to hear of a transaction's commit, of the two libraries that tell: Knex and Sequelize. `undefined`: nobody tells.
 *
 * @throws {TransactionError} for a nested one: neither library says whether its savepoint was rolled back.
 */
export function commitHookOf(tx: unknown): CommitHook | undefined {
  const shape = shapeOf(tx);
  return shape === undefined ? undefined : (sequelizeHook(shape) ?? knexHook(shape));
}

function sequelizeHook(tx: Shape): CommitHook | undefined {
  if (!hasMethods(tx, "afterCommit", "commit", "rollback")) return undefined;
  assertOutermost("Sequelize", tx, "parent");
  return (committed) => void callMethod(tx, "afterCommit", committed);
}

/** Its promise is also kept after a rollback that nobody gave a reason for; only the statement tells. */
function knexHook(tx: Shape): CommitHook | undefined {
  if (tx["isTransaction"] !== true || memberOf(tx, "executionPromise") === undefined) return undefined;
  assertOutermost("Knex", tx, "parentTransaction");
  let rolledBack = false;
  callMethod(tx, "on", "query", ({ sql }: { sql: string }) => (rolledBack ||= /^\s*rollback\s*;?\s*$/i.test(sql)));
  const ended = tx["executionPromise"] as Promise<unknown>;
  return (committed) =>
    void ended.then(
      () => (rolledBack ? undefined : committed()),
      () => {},
    );
}

function assertOutermost(library: string, tx: Shape, parent: string): void {
  if (memberOf(tx, parent) === undefined) return;
  throw new TransactionError(
    `This transaction of ${library} is nested in another one, and ${library} does not tell whether its savepoint was rolled ` +
      "back. Use q.afterCommit() without it, and call committed() after the outermost commit.",
  );
}
