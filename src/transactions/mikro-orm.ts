import type { Executor } from "../contracts/transaction.js";
import { knex } from "./knex.js";
import { kysely } from "./kysely.js";
import { callMethod, hasMethods, notATransaction, shapeOf } from "./shape.js";
import type { Shape } from "./shape.js";

const library = "MikroORM";

/** The forked `EntityManager` of a transaction. What it writes through is a transaction of Knex, or in newer versions of Kysely. */
export function mikroOrm(tx: Shape): Executor | undefined {
  if (!hasMethods(tx, "getTransactionContext", "isInTransaction", "transactional")) return undefined;
  const context = shapeOf(callMethod(tx, "getTransactionContext"));
  if (context === undefined) {
    const instead = "Hand in the `em` that em.transactional(…) gives to its function.";
    throw notATransaction(library, "an entity manager without a transaction", instead);
  }
  const executor = knex(context) ?? kysely(context);
  return executor === undefined ? undefined : { ...executor, library };
}
