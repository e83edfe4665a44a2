import type { ConsumeOptions, RunningTask } from "../../contracts/broker.js";
import { clusterLost } from "../sql/endings.js";
import { errorText } from "../sql/error-text.js";
import { LeaseLostError } from "../../errors.js";
import { codeOf, leaseLostCode } from "./postgres-error.js";
import type { ProjectDatabase } from "./project-database.js";
import { statement } from "./statement.js";

const open = statement(
  "open-lease",
  `INSERT INTO {consumer} (project, cluster, host, pid, lease_ms, expires_at, unbroken_since, running, lost_error)
   VALUES ($1, $2, $3, $4, $5, {now} + $5, {now}, '[]', $6) RETURNING seq`,
);

/** A message whose consumer does not exist is free. Only a hand that deleted rows can have made one. */
const freeOrphans = statement(
  "free-orphans",
  `UPDATE {message} SET owner = NULL WHERE owner > 0 AND owner = ANY (ARRAY(
     SELECT DISTINCT m.owner FROM {message} m
     WHERE m.owner > 0 AND m.project = $1 AND NOT EXISTS (SELECT FROM {consumer} c WHERE c.seq = m.owner)))`,
);

const renew = statement(
  "renew-lease",
  `UPDATE {consumer} SET expires_at = {now} + lease_ms, running = $3::json,
     unbroken_since = CASE WHEN expires_at <= {now} THEN {now} ELSE least(unbroken_since, {now}) END
   WHERE project = $1 AND seq = $2`,
  { isQuick: true },
);

const leave = statement("close-lease", "SELECT {leave}($1, $2)");
const leaveApart = statement("close-hold", "SELECT {leave_apart}($1, {now}, $2, $3, $4)");

/** Starts a lease. Resolves to the consumer's number, which is never used again. */
export async function openLease(database: ProjectDatabase, { leaseMs, cluster }: ConsumeOptions): Promise<number> {
  await database.run(freeOrphans);
  const lost = errorText(clusterLost(cluster));
  const values = [cluster.id, cluster.host, cluster.pid, Math.ceil(leaseMs), lost];
  return (await database.first<{ seq: number }>(open, values))?.seq ?? 0;
}

/** `false`: somebody has taken over. */
export async function renewLease(
  database: ProjectDatabase,
  consumer: number,
  running: readonly RunningTask[],
): Promise<boolean> {
  return (await database.run(renew, [consumer, JSON.stringify(running)])) === 1;
}

/** Gives everything back, as a clean release does, and ends the lease. */
export async function closeLease(database: ProjectDatabase, consumer: number): Promise<void> {
  const { outbox } = database;
  if (outbox === null) await database.first(leave, [consumer]);
  else await database.first(leaveApart, [consumer, outbox.resendMs, outbox.aheadMs]);
}

/** The answer of a function that needs a live lease. @throws {LeaseLostError} */
export async function underLease<T>(consumer: number, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw codeOf(error) === leaseLostCode ? new LeaseLostError(String(consumer)) : error;
  }
}
