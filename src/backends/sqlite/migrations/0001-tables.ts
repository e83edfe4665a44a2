import type { Migration } from "../../sql/migration.js";

/** The first tables. Times are milliseconds since 1970; `project` is `qluster_project.seq`. */
export const tables: Migration = {
  version: 1,
  worksFrom: 1,
  name: "tables",
  sql: `
CREATE TABLE qluster_schema (
  version INTEGER PRIMARY KEY,
  works_from INTEGER NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT;

CREATE TABLE qluster_project (
  seq INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

-- Unfinished tasks. rank: the priority turned round, so that lower comes first.
-- owner: NULL when it may be taken, 0 while it waits for due_at, else the qluster_consumer that holds it.
CREATE TABLE qluster_message (
  seq INTEGER PRIMARY KEY,
  project INTEGER NOT NULL,
  queue TEXT NOT NULL,
  owner INTEGER,
  rank INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  id TEXT NOT NULL,
  deliveries INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  starts INTEGER NOT NULL,
  queued_at INTEGER NOT NULL,
  expires_at INTEGER,
  started_at INTEGER,
  stopped_at INTEGER,
  worker TEXT,
  func TEXT NOT NULL,
  name TEXT,
  grp TEXT,
  kind TEXT NOT NULL,
  parent TEXT,
  unique_key TEXT,
  unique_until TEXT,
  unique_ends_at INTEGER,
  envelope TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX qluster_message_id ON qluster_message (project, id);
CREATE INDEX qluster_message_free ON qluster_message (project, queue, rank, due_at) WHERE owner IS NULL;
CREATE INDEX qluster_message_delayed ON qluster_message (project, due_at) WHERE owner = 0;
CREATE INDEX qluster_message_held ON qluster_message (owner) WHERE owner > 0;
CREATE INDEX qluster_message_name ON qluster_message (project, name) WHERE name IS NOT NULL;
CREATE INDEX qluster_message_unique ON qluster_message (project, unique_key) WHERE unique_key IS NOT NULL;

-- One row for each life of a cluster. running: what ran when it last renewed, as JSON.
CREATE TABLE qluster_consumer (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  project INTEGER NOT NULL,
  cluster TEXT NOT NULL,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  lease_ms INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  running TEXT NOT NULL
) STRICT;

-- Finished tasks; seq ascends in the order in which their ends were stored, and never comes back. The row carries its last attempt: ending is
-- NULL when that attempt stands in qluster_attempt, or there was none.
CREATE TABLE qluster_task (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  project INTEGER NOT NULL,
  id TEXT NOT NULL,
  state TEXT NOT NULL,
  finished_at INTEGER NOT NULL,
  queue TEXT NOT NULL,
  priority INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  starts INTEGER NOT NULL,
  queued_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  func TEXT NOT NULL,
  name TEXT,
  grp TEXT,
  kind TEXT NOT NULL,
  parent TEXT,
  ending TEXT,
  counted INTEGER NOT NULL,
  started_at INTEGER,
  stopped_at INTEGER NOT NULL,
  worker TEXT,
  attempt_error TEXT,
  error TEXT,
  result TEXT,
  envelope TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX qluster_task_id ON qluster_task (project, id);
CREATE INDEX qluster_task_name ON qluster_task (project, name) WHERE name IS NOT NULL;
CREATE INDEX qluster_task_group ON qluster_task (project, grp, seq, state) WHERE grp IS NOT NULL;
CREATE INDEX qluster_task_parent ON qluster_task (project, parent) WHERE parent IS NOT NULL;
-- Everything but plain successes: failures to look at, and what to leave out when successes are counted.
CREATE INDEX qluster_task_other ON qluster_task (project, kind, seq, state) WHERE state <> 'succeeded' OR kind <> 'task';

-- Attempts that were followed by another one.
CREATE TABLE qluster_attempt (
  project INTEGER NOT NULL,
  id TEXT NOT NULL,
  number INTEGER NOT NULL,
  ending TEXT NOT NULL,
  counted INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  stopped_at INTEGER NOT NULL,
  worker TEXT NOT NULL,
  error TEXT,
  PRIMARY KEY (project, id, number)
) STRICT, WITHOUT ROWID;

-- Newest progress, and log lines, that tasks have reported.
CREATE TABLE qluster_progress (
  project INTEGER NOT NULL,
  id TEXT NOT NULL,
  at INTEGER NOT NULL,
  done REAL NOT NULL,
  total REAL,
  note TEXT,
  PRIMARY KEY (project, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE qluster_log (
  seq INTEGER PRIMARY KEY,
  project INTEGER NOT NULL,
  id TEXT NOT NULL,
  at INTEGER NOT NULL,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX qluster_log_id ON qluster_log (project, id);

CREATE TABLE qluster_heartbeat (
  project INTEGER NOT NULL,
  cluster TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  status TEXT NOT NULL,
  PRIMARY KEY (project, cluster)
) STRICT, WITHOUT ROWID;

CREATE TABLE qluster_order (
  seq INTEGER PRIMARY KEY,
  project INTEGER NOT NULL,
  cluster TEXT NOT NULL,
  told_at INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX qluster_order_cluster ON qluster_order (project, cluster);

CREATE TABLE qluster_rollup (
  project INTEGER NOT NULL,
  minute INTEGER NOT NULL,
  queue TEXT NOT NULL,
  succeeded INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  busy_ms INTEGER NOT NULL,
  PRIMARY KEY (project, minute, queue)
) STRICT, WITHOUT ROWID;

CREATE TABLE qluster_cache (
  seq INTEGER PRIMARY KEY,
  project INTEGER NOT NULL,
  key TEXT NOT NULL,
  version TEXT NOT NULL,
  expires_at INTEGER,
  value TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX qluster_cache_key ON qluster_cache (project, key);
CREATE INDEX qluster_cache_expiry ON qluster_cache (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE qluster_cache_set (
  seq INTEGER PRIMARY KEY,
  project INTEGER NOT NULL,
  key TEXT NOT NULL,
  expires_at INTEGER
) STRICT;
CREATE UNIQUE INDEX qluster_cache_set_key ON qluster_cache_set (project, key);
CREATE INDEX qluster_cache_set_expiry ON qluster_cache_set (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE qluster_cache_member (
  cache_set INTEGER NOT NULL,
  member TEXT NOT NULL,
  PRIMARY KEY (cache_set, member)
) STRICT, WITHOUT ROWID;
`,
};
