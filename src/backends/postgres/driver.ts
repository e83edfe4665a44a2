import type { Pool, PoolClient, PoolConfig } from "pg";
import { ClientMissingError } from "../../errors.js";

export type { Pool, PoolClient, PoolConfig };

/** Loads the package `pg` on first use: who uses another database need not have it. */
export async function newPool(options: PoolConfig): Promise<Pool> {
  const { default: pg } = await loadPackage();
  return new pg.Pool(options);
}

async function loadPackage(): Promise<typeof import("pg")> {
  try {
    return await import("pg");
  } catch (cause) {
    throw new ClientMissingError("pg", "Postgres", cause);
  }
}
