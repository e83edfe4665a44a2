import { randomBytes } from "node:crypto";
import type { Cache } from "../../contracts/cache.js";
import { textArray } from "./array-literal.js";
import type { ProjectDatabase } from "./project-database.js";
import { statement } from "./statement.js";

/** Expired entries removed with each write: more than one write adds, so that the table does not grow. */
const swept = 4;

const isLive = "(expires_at IS NULL OR expires_at > {now})";

const sweep = (table: "cache" | "cache_set"): string => `
  swept AS (DELETE FROM {${table}} WHERE (project, key) IN (
    SELECT project, key FROM {${table}} WHERE expires_at <= {now} AND (project, key) <> ($1, $2)
    LIMIT ${swept} FOR UPDATE SKIP LOCKED))`;

const getSql = statement(
  "cache-get",
  `SELECT value, version FROM {cache} WHERE project = $1 AND key = $2 AND ${isLive}`,
);

const setSql = statement(
  "cache-set",
  `WITH ${sweep("cache")}
   INSERT INTO {cache} (project, key, version, expires_at, value) VALUES ($1, $2, $3, {now} + $4::bigint, $5)
   ON CONFLICT (project, key) DO UPDATE SET
     version = excluded.version, expires_at = excluded.expires_at, value = excluded.value`,
);

/** There was none: one that has expired counts for nothing. */
const addSql = statement(
  "cache-add",
  `WITH ${sweep("cache")}
   INSERT INTO {cache} AS c (project, key, version, expires_at, value) VALUES ($1, $2, $3, {now} + $4::bigint, $5)
   ON CONFLICT (project, key) DO UPDATE SET
     version = excluded.version, expires_at = excluded.expires_at, value = excluded.value
   WHERE c.expires_at <= {now}`,
);

const replaceSql = statement(
  "cache-replace",
  `UPDATE {cache} SET version = $3, expires_at = {now} + $4::bigint, value = $5
   WHERE project = $1 AND key = $2 AND version = $6 AND ${isLive}`,
);

const deleteSql = statement(
  "cache-delete",
  `WITH entries AS (DELETE FROM {cache} WHERE project = $1 AND key = $2 RETURNING expires_at),
     sets AS (DELETE FROM {cache_set} WHERE project = $1 AND key = $2 RETURNING expires_at)
   SELECT 1 AS found FROM (SELECT * FROM entries UNION ALL SELECT * FROM sets) AS gone WHERE ${isLive} LIMIT 1`,
);

const endSetSql = statement(
  "cache-end-set",
  "DELETE FROM {cache_set} WHERE project = $1 AND key = $2 AND expires_at <= {now}",
);
const openSetSql = statement(
  "cache-open-set",
  `WITH ${sweep("cache_set")}
   INSERT INTO {cache_set} AS s (project, key, expires_at) VALUES ($1, $2, {now} + $3::bigint)
   ON CONFLICT (project, key) DO UPDATE SET expires_at =
     CASE WHEN s.expires_at IS NULL OR excluded.expires_at IS NULL THEN NULL
       ELSE greatest(s.expires_at, excluded.expires_at) END
   RETURNING seq`,
);
const addMembersSql = statement(
  "cache-add-members",
  `INSERT INTO {cache_member} (cache_set, member) SELECT $2, m FROM unnest($3::text[]) AS m WHERE $1::integer IS NOT NULL
   ON CONFLICT DO NOTHING`,
);
const countMembersSql = statement(
  "cache-count-members",
  "SELECT count(*) AS n FROM {cache_member} WHERE cache_set = $2 AND $1::integer IS NOT NULL",
);
const membersSql = statement(
  "cache-members",
  `SELECT member FROM {cache_member} WHERE cache_set =
     (SELECT seq FROM {cache_set} WHERE project = $1 AND key = $2 AND ${isLive})`,
);

/** Short-lived text in the table `qluster_cache`, sets in `qluster_cache_set`. */
export function postgresCache(database: ProjectDatabase): Cache {
  return {
    capabilities: { shared: true },
    get: (key) => database.first(getSql, [key]),
    async set(key, value, ttlMs) {
      await database.run(setSql, [key, newVersion(), life(ttlMs), value]);
    },
    async setIf(key, expected, value, ttlMs) {
      const written = [key, newVersion(), life(ttlMs), value];
      return expected === null
        ? (await database.run(addSql, written)) === 1
        : (await database.run(replaceSql, [...written, expected])) === 1;
    },
    delete: async (key) => (await database.first(deleteSql, [key])) !== undefined,
    addMembers: (key, members, ttlMs) => addMembers(database, key, members, ttlMs),
    members: async (key) => (await database.all<{ member: string }>(membersSql, [key])).map(({ member }) => member),
  };
}

/** Random, so that it never comes back, also after a delete. */
function newVersion(): string {
  return randomBytes(9).toString("base64url");
}

function life(ttlMs: number | null): number | null {
  return ttlMs === null ? null : Math.ceil(ttlMs);
}

async function addMembers(
  database: ProjectDatabase,
  key: string,
  members: readonly string[],
  ttlMs: number | null,
): Promise<number> {
  return await database.transaction(async (inside) => {
    await inside.run(endSetSql, [key]);
    const set = await inside.first<{ seq: number }>(openSetSql, [key, life(ttlMs)]);
    const seq = set?.seq ?? 0;
    await inside.run(addMembersSql, [seq, textArray(members)]);
    return (await inside.first<{ n: number }>(countMembersSql, [seq]))?.n ?? 0;
  });
}
