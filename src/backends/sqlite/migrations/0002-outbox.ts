import type { Migration } from "../../sql/migration.js";

/** When a task is to be sent to a broker elsewhere: `NULL` for tasks that the file itself carries, and while they are held. */
export const outbox: Migration = {
  version: 2,
  worksFrom: 1,
  name: "outbox",
  sql: `
ALTER TABLE qluster_message ADD COLUMN send_at INTEGER;
CREATE INDEX qluster_message_unsent ON qluster_message (project, send_at) WHERE send_at IS NOT NULL;
`,
};
