import type { Migration } from "../../sql/migration.js";

/** Chains, iterables and batches. */
export const flows: Migration = {
  version: 4,
  worksFrom: 1,
  name: "flows",
  sql: `
-- The flow that a task is a member of, its place, and the run: joined by dots.
ALTER TABLE qluster_message ADD COLUMN member TEXT;
ALTER TABLE qluster_task ADD COLUMN member TEXT;
CREATE INDEX qluster_message_member ON qluster_message (project, member) WHERE member IS NOT NULL;

-- steps: how many members each step has, as JSON; '[]' while nobody knows. joined: places that are taken (batches).
CREATE TABLE qluster_flow (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  project INTEGER NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  queue TEXT NOT NULL,
  func TEXT NOT NULL,
  name TEXT,
  grp TEXT,
  envelope TEXT NOT NULL,
  steps TEXT NOT NULL,
  stops INTEGER NOT NULL,
  queued INTEGER NOT NULL,
  carry_bytes INTEGER NOT NULL,
  step INTEGER NOT NULL,
  done INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  failed_at INTEGER,
  error TEXT,
  run INTEGER NOT NULL,
  joined INTEGER NOT NULL,
  opened_at INTEGER NOT NULL,
  expires_at INTEGER,
  ended_at INTEGER
) STRICT;
CREATE UNIQUE INDEX qluster_flow_id ON qluster_flow (project, id);
CREATE INDEX qluster_flow_expiry ON qluster_flow (project, expires_at) WHERE state = 'open' AND expires_at IS NOT NULL;

-- One row for each place: of a chain from the start, of others once a member has joined or ended. state: NULL until it has ended.
-- id: of a batch, the task that has the place. task: of a chain, the sealed task as JSON.
CREATE TABLE qluster_flow_member (
  flow INTEGER NOT NULL,
  place INTEGER NOT NULL,
  run INTEGER NOT NULL,
  state TEXT,
  id TEXT,
  result TEXT,
  error TEXT,
  task TEXT,
  PRIMARY KEY (flow, place)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX qluster_flow_member_id ON qluster_flow_member (flow, id) WHERE id IS NOT NULL;
`,
};
