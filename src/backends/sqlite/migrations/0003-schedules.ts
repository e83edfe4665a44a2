import type { Migration } from "../../sql/migration.js";

/** Schedules and their runs. Code that knows nothing of them goes on as before. */
export const schedules: Migration = {
  version: 3,
  worksFrom: 1,
  name: "schedules",
  sql: `
-- cluster: empty for schedules that the project's default cluster fires. due_at: NULL when nobody has to look.
CREATE TABLE qluster_schedule (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  project INTEGER NOT NULL,
  id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  run_count INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  name TEXT,
  cluster TEXT NOT NULL,
  func TEXT NOT NULL,
  rule TEXT NOT NULL,
  target TEXT NOT NULL,
  declared_by TEXT,
  fingerprint TEXT NOT NULL,
  next_run INTEGER,
  due_at INTEGER,
  repeats INTEGER NOT NULL,
  paused INTEGER NOT NULL,
  last_task TEXT,
  fault TEXT
) STRICT;
CREATE UNIQUE INDEX qluster_schedule_id ON qluster_schedule (project, id);
CREATE UNIQUE INDEX qluster_schedule_name ON qluster_schedule (project, name) WHERE name IS NOT NULL;
CREATE INDEX qluster_schedule_due ON qluster_schedule (project, cluster, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX qluster_schedule_paused ON qluster_schedule (project) WHERE paused = 1;
CREATE INDEX qluster_schedule_broken ON qluster_schedule (project) WHERE fault IS NOT NULL;

-- One slot and what became of it; schedule is qluster_schedule.seq. state: of a task that is gone.
CREATE TABLE qluster_schedule_run (
  schedule INTEGER NOT NULL,
  number INTEGER NOT NULL,
  project INTEGER NOT NULL,
  slot INTEGER NOT NULL,
  at INTEGER NOT NULL,
  task TEXT,
  passed_over TEXT,
  manual INTEGER NOT NULL,
  state TEXT,
  PRIMARY KEY (schedule, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX qluster_schedule_run_task ON qluster_schedule_run (project, task) WHERE task IS NOT NULL;
`,
};
