/** Chains, iterables and batches. Code that knows nothing of them goes on as before. */
export const flows = `
-- The flow that a task is a member of, its place, and the run: joined by dots.
ALTER TABLE {message} ADD COLUMN member text COLLATE "C";
ALTER TABLE {task} ADD COLUMN member text COLLATE "C";
CREATE INDEX qluster_message_member ON {message} (project, member) WHERE member IS NOT NULL;

-- steps: how many members each step has, as JSON; '[]' while nobody knows. joined: places that are taken (batches). A flow
-- whose record was removed has its project's number turned round, until its members are gone.
CREATE TABLE {flow} (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  opened_at bigint NOT NULL,
  expires_at bigint,
  ended_at bigint,
  carry_bytes bigint NOT NULL,
  project integer NOT NULL,
  step integer NOT NULL,
  done integer NOT NULL,
  failed integer NOT NULL,
  failed_at integer,
  run integer NOT NULL,
  joined integer NOT NULL,
  stops boolean NOT NULL,
  queued boolean NOT NULL,
  id text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  state text NOT NULL,
  queue text NOT NULL,
  func text NOT NULL,
  name text,
  grp text,
  steps text NOT NULL,
  error text,
  envelope text NOT NULL
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX qluster_flow_id ON {flow} (project, id);
CREATE INDEX qluster_flow_expiry ON {flow} (project, expires_at) WHERE state = 'open' AND expires_at IS NOT NULL;

-- One row for each place: of a chain from the start, of others once a member has joined or ended. state: NULL until it has
-- ended. id: of a batch, the task that has the place. task: of a chain, the sealed task as JSON.
CREATE TABLE {flow_member} (
  flow bigint NOT NULL,
  place integer NOT NULL,
  run integer NOT NULL,
  state text,
  id text COLLATE "C",
  result text,
  error text,
  task text,
  PRIMARY KEY (flow, place)
);
CREATE UNIQUE INDEX qluster_flow_member_id ON {flow_member} (flow, id) WHERE id IS NOT NULL;
`;
