import type { Connections } from "./connections.js";
import { statement } from "./statement.js";

const settings = statement(
  "settings",
  `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
     current_setting('synchronous_standby_names') AS standbys`,
);

interface Settings {
  readonly fsync: string;
  readonly commit: string;
  readonly standbys: string;
}

/** In one sentence for people: what a power cut and a failover may take back of what the server has confirmed. */
export async function lossesSentence(connections: Connections): Promise<string> {
  const { rows } = await connections.query(settings, []);
  const { fsync, commit, standbys } = rows[0] as Settings;
  return `A power cut ${powerCut(fsync, commit)}; a failover ${failover(commit, standbys)}.`;
}

function powerCut(fsync: string, commit: string): string {
  if (fsync === "off") return "may lose anything, and damage the database (fsync off)";
  if (commit === "off") return "may lose the last moments before it (synchronous_commit off)";
  return `loses nothing that was confirmed (fsync on, synchronous_commit ${commit})`;
}

function failover(commit: string, standbys: string): string {
  if (standbys === "" || commit === "off" || commit === "local") {
    return "to a standby may lose what had not reached it (no synchronous_standby_names, or not waited for)";
  }
  return `to a standby of synchronous_standby_names (${standbys}) loses nothing`;
}
