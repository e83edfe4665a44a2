import { randomBytes } from "node:crypto";
import type { Cache } from "../../contracts/cache.js";
import type { ProjectFile, Session } from "./project-file.js";

/** Expired entries removed with each write: more than one write adds, so that the file does not grow. */
const swept = 4;

const live = "(expires_at IS NULL OR expires_at > ?)";

/** Short-lived text in the table `qluster_cache`, sets in `qluster_cache_set`. */
export function sqliteCache(file: ProjectFile): Cache {
  return {
    capabilities: { shared: true },

    get: (key) =>
      file.read((session) => {
        const row = session.first<{ value: string; version: string }>(
          `SELECT value, version FROM qluster_cache WHERE project = ? AND key = ? AND ${live}`,
          [session.project, key, session.now],
        );
        return row === undefined ? undefined : { value: row.value, version: row.version };
      }),

    set: (key, value, ttlMs) =>
      file.write((session) => {
        write(session, key, value, ttlMs);
      }),

    setIf: (key, expected, value, ttlMs) =>
      file.write((session) => {
        const isExpected = (liveVersion(session, key) ?? null) === expected;
        if (isExpected) write(session, key, value, ttlMs);
        return isExpected;
      }),

    delete: (key) =>
      file.write((session) => {
        const wasThere = liveVersion(session, key) !== undefined || liveSet(session, key) !== undefined;
        session.run("DELETE FROM qluster_cache WHERE project = ? AND key = ?", [session.project, key]);
        removeSets(session, "project = ? AND key = ?", [session.project, key]);
        return wasThere;
      }),

    addMembers: (key, members, ttlMs) => file.write((session) => addMembers(session, key, members, ttlMs)),

    members: (key) =>
      file.read((session) => {
        const set = liveSet(session, key);
        if (set === undefined) return [];
        return session
          .all<{ member: string }>("SELECT member FROM qluster_cache_member WHERE cache_set = ?", [set.seq])
          .map(({ member }) => member);
      }),
  };
}

const writeSql = `
  INSERT INTO qluster_cache (project, key, version, expires_at, value) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (project, key) DO UPDATE SET
    version = excluded.version, expires_at = excluded.expires_at, value = excluded.value`;

function write(session: Session, key: string, value: string, ttlMs: number | null): void {
  sweep(session);
  session.run(writeSql, [session.project, key, newVersion(), endOf(session, ttlMs), value]);
}

/** Random, so that it never comes back, also after a delete. */
function newVersion(): string {
  return randomBytes(9).toString("base64url");
}

function endOf(session: Session, ttlMs: number | null): number | null {
  return ttlMs === null ? null : Math.ceil(session.now + ttlMs);
}

function liveVersion(session: Session, key: string): string | undefined {
  return session.first<{ version: string }>(
    `SELECT version FROM qluster_cache WHERE project = ? AND key = ? AND ${live}`,
    [session.project, key, session.now],
  )?.version;
}

interface SetRow {
  readonly seq: number;
  readonly expires_at: number | null;
}

function liveSet(session: Session, key: string): SetRow | undefined {
  return session.first<SetRow>(
    `SELECT seq, expires_at FROM qluster_cache_set WHERE project = ? AND key = ? AND ${live}`,
    [session.project, key, session.now],
  );
}

function addMembers(session: Session, key: string, members: readonly string[], ttlMs: number | null): number {
  sweep(session);
  const set = liveSet(session, key) ?? newSet(session, key, endOf(session, ttlMs));
  const end = endOf(session, ttlMs);
  const longest = set.expires_at === null || end === null ? null : Math.max(set.expires_at, end);
  session.run("UPDATE qluster_cache_set SET expires_at = ? WHERE seq = ?", [longest, set.seq]);
  for (const member of members) {
    session.run("INSERT INTO qluster_cache_member (cache_set, member) VALUES (?, ?) ON CONFLICT DO NOTHING", [
      set.seq,
      member,
    ]);
  }
  const row = session.first<{ n: number }>("SELECT count(*) AS n FROM qluster_cache_member WHERE cache_set = ?", [
    set.seq,
  ]);
  return row?.n ?? 0;
}

function newSet(session: Session, key: string, expiresAt: number | null): SetRow {
  removeSets(session, "project = ? AND key = ?", [session.project, key]);
  const row = session.first<{ seq: number }>(
    "INSERT INTO qluster_cache_set (project, key, expires_at) VALUES (?, ?, ?) RETURNING seq",
    [session.project, key, expiresAt],
  );
  return { seq: row?.seq ?? 0, expires_at: expiresAt };
}

function removeSets(session: Session, which: string, parameters: readonly (string | number)[]): void {
  for (const { seq } of session.all<{ seq: number }>(`SELECT seq FROM qluster_cache_set WHERE ${which}`, parameters)) {
    session.run("DELETE FROM qluster_cache_member WHERE cache_set = ?", [seq]);
    session.run("DELETE FROM qluster_cache_set WHERE seq = ?", [seq]);
  }
}

function sweep(session: Session): void {
  session.run("DELETE FROM qluster_cache WHERE seq IN (SELECT seq FROM qluster_cache WHERE expires_at <= ? LIMIT ?)", [
    session.now,
    swept,
  ]);
  removeSets(session, `seq IN (SELECT seq FROM qluster_cache_set WHERE expires_at <= ? LIMIT ${swept})`, [session.now]);
}
