/** The first tables. Times are milliseconds since 1970; `project` is the number in the table of projects. */
export const tables = `
CREATE TABLE {schema}.qluster_schema (
  version integer PRIMARY KEY,
  works_from integer NOT NULL,
  applied_at bigint NOT NULL
);

CREATE TABLE {project} (
  seq integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE
);

-- Unfinished tasks. rank: the priority turned round, so that lower comes first.
-- owner: NULL when it may be taken, 0 while it waits for due_at, else the consumer that holds it.
CREATE TABLE {message} (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  owner bigint,
  due_at bigint NOT NULL,
  queued_at bigint NOT NULL,
  expires_at bigint,
  started_at bigint,
  stopped_at bigint,
  unique_ends_at bigint,
  project integer NOT NULL,
  rank integer NOT NULL,
  deliveries integer NOT NULL DEFAULT 0,
  attempts integer NOT NULL DEFAULT 0,
  starts integer NOT NULL DEFAULT 0,
  queue text NOT NULL,
  id text COLLATE "C" NOT NULL,
  worker text,
  func text NOT NULL,
  name text,
  grp text,
  kind text NOT NULL,
  parent text COLLATE "C",
  unique_key text,
  unique_until text,
  envelope text NOT NULL
);
CREATE UNIQUE INDEX qluster_message_id ON {message} (project, id);
CREATE INDEX qluster_message_free ON {message} (project, queue, rank, due_at, seq) WHERE owner IS NULL;
CREATE INDEX qluster_message_delayed ON {message} (project, due_at, seq) WHERE owner = 0;
CREATE INDEX qluster_message_held ON {message} (owner) WHERE owner > 0;
CREATE INDEX qluster_message_name ON {message} (project, name, seq) WHERE name IS NOT NULL;
CREATE UNIQUE INDEX qluster_message_unique ON {message} (project, unique_key) WHERE unique_key IS NOT NULL;
-- Rows come and go quickly: without this, dead ones would pile up between two visits.
ALTER TABLE {message} SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

-- One row for each life of a cluster. running: what ran when it last renewed. unbroken_since: only who was never silent
-- itself takes over from the silent. lost_error: what a takeover writes about its attempts.
CREATE TABLE {consumer} (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  project integer NOT NULL,
  cluster text NOT NULL,
  host text NOT NULL,
  pid integer NOT NULL,
  lease_ms bigint NOT NULL,
  expires_at bigint NOT NULL,
  unbroken_since bigint NOT NULL,
  running json NOT NULL,
  lost_error text NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX qluster_consumer_project ON {consumer} (project);

-- Finished tasks; seq ascends in the order in which their ends were stored, and never comes back. The row carries its
-- last attempt: ending is NULL when that attempt stands in the table of attempts, or there was none.
CREATE TABLE {task} (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  finished_at bigint NOT NULL,
  queued_at bigint NOT NULL,
  due_at bigint NOT NULL,
  started_at bigint,
  stopped_at bigint NOT NULL,
  project integer NOT NULL,
  priority integer NOT NULL,
  attempts integer NOT NULL,
  starts integer NOT NULL,
  counted integer NOT NULL,
  id text COLLATE "C" NOT NULL,
  state text NOT NULL,
  queue text NOT NULL,
  func text NOT NULL,
  name text,
  grp text,
  kind text NOT NULL,
  parent text COLLATE "C",
  ending text,
  worker text,
  attempt_error text,
  error text,
  result text,
  envelope text NOT NULL
);
CREATE UNIQUE INDEX qluster_task_id ON {task} (project, id);
CREATE INDEX qluster_task_name ON {task} (project, name, seq) WHERE name IS NOT NULL;
CREATE INDEX qluster_task_group ON {task} (project, grp, seq) WHERE grp IS NOT NULL;
CREATE INDEX qluster_task_parent ON {task} (project, parent) WHERE parent IS NOT NULL;
-- Everything but plain successes: failures to look at, and what to leave out when successes are counted.
CREATE INDEX qluster_task_other ON {task} (project, kind, seq) WHERE state <> 'succeeded' OR kind <> 'task';

-- Attempts that were followed by another one.
CREATE TABLE {attempt} (
  project integer NOT NULL,
  id text COLLATE "C" NOT NULL,
  number integer NOT NULL,
  counted integer NOT NULL,
  started_at bigint NOT NULL,
  stopped_at bigint NOT NULL,
  ending text NOT NULL,
  worker text NOT NULL,
  error text,
  PRIMARY KEY (project, id, number)
);

-- Newest progress, and log lines, that tasks have reported.
CREATE TABLE {progress} (
  project integer NOT NULL,
  id text COLLATE "C" NOT NULL,
  at bigint NOT NULL,
  done double precision NOT NULL,
  total double precision,
  note text,
  PRIMARY KEY (project, id)
);

CREATE TABLE {log} (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  project integer NOT NULL,
  at bigint NOT NULL,
  id text COLLATE "C" NOT NULL,
  text text NOT NULL
);
CREATE INDEX qluster_log_id ON {log} (project, id);

CREATE TABLE {heartbeat} (
  project integer NOT NULL,
  cluster text NOT NULL,
  expires_at bigint NOT NULL,
  status text NOT NULL,
  PRIMARY KEY (project, cluster)
);

CREATE TABLE {order} (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  project integer NOT NULL,
  told_at bigint NOT NULL,
  cluster text NOT NULL,
  body text NOT NULL
);
CREATE INDEX qluster_order_cluster ON {order} (project, cluster);

-- part: one of several rows to add to, so that clusters that finish at the same moment do not wait for each other.
CREATE TABLE {rollup} (
  project integer NOT NULL,
  minute bigint NOT NULL,
  queue text NOT NULL,
  part integer NOT NULL,
  succeeded bigint NOT NULL,
  failed bigint NOT NULL,
  busy_ms bigint NOT NULL,
  PRIMARY KEY (project, minute, queue, part)
) WITH (fillfactor = 50);

CREATE TABLE {cache} (
  project integer NOT NULL,
  key text NOT NULL,
  version text NOT NULL,
  expires_at bigint,
  value text NOT NULL,
  PRIMARY KEY (project, key)
);
CREATE INDEX qluster_cache_expiry ON {cache} (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE {cache_set} (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  project integer NOT NULL,
  key text NOT NULL,
  expires_at bigint,
  UNIQUE (project, key)
);
CREATE INDEX qluster_cache_set_expiry ON {cache_set} (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE {cache_member} (
  cache_set bigint NOT NULL REFERENCES {cache_set} ON DELETE CASCADE,
  member text NOT NULL,
  PRIMARY KEY (cache_set, member)
);
`;
