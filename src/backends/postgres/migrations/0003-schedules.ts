/** Schedules and their runs. Code that knows nothing of them goes on as before. */
export const schedules = `
-- cluster: empty for schedules that the project's default cluster fires. due_at: NULL when nobody has to look.
CREATE TABLE {schedule} (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  revision bigint NOT NULL,
  run_count bigint NOT NULL,
  created_at bigint NOT NULL,
  next_run bigint,
  due_at bigint,
  repeats bigint NOT NULL,
  project integer NOT NULL,
  paused boolean NOT NULL,
  id text COLLATE "C" NOT NULL,
  name text,
  cluster text NOT NULL,
  func text NOT NULL,
  rule text NOT NULL,
  target text NOT NULL,
  declared_by text,
  fingerprint text NOT NULL,
  last_task text COLLATE "C",
  fault text
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX qluster_schedule_id ON {schedule} (project, id);
CREATE UNIQUE INDEX qluster_schedule_name ON {schedule} (project, name) WHERE name IS NOT NULL;
CREATE INDEX qluster_schedule_due ON {schedule} (project, cluster, due_at) WHERE due_at IS NOT NULL;

-- One slot and what became of it. state: of a task that is gone.
CREATE TABLE {schedule_run} (
  schedule bigint NOT NULL REFERENCES {schedule} ON DELETE CASCADE,
  number bigint NOT NULL,
  slot bigint NOT NULL,
  at bigint NOT NULL,
  project integer NOT NULL,
  manual boolean NOT NULL,
  task text COLLATE "C",
  passed_over text,
  state text,
  PRIMARY KEY (schedule, number)
);
CREATE INDEX qluster_schedule_run_task ON {schedule_run} (project, task) WHERE task IS NOT NULL;
`;
