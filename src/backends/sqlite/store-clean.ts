import { setImmediate as turn } from "node:timers/promises";
import type { RetentionLimits } from "../../contracts/store.js";
import type { ProjectFile, Session } from "./project-file.js";
import { removeTasks } from "./remove-tasks.js";

/** Tasks in one transaction: others write in between. */
const step = 500;
const dayMs = 86_400_000;
/** Charts look back so far. */
const rollupsMs = 90 * dayMs;

/** What one step found: tasks to remove, and whether there may be more. */
interface Found {
  readonly seqs: readonly number[];
  readonly isMore: boolean;
}

/** Removes finished tasks by the retention limits. */
export class Cleaner {
  readonly #file: ProjectFile;
  /** Below it no success is left: what stands there is kept longer, and need not be walked over each time. */
  #from = 0;

  constructor(file: ProjectFile) {
    this.#file = file;
  }

  /** Resolves to the number of tasks removed. */
  async clean(limits: RetentionLimits): Promise<number> {
    let removed = await this.#removeSuccesses(limits);
    removed += await this.#removeWhile((session) => oldFailures(session, limits));
    removed += await this.#removeWhile((session) => surplusSuccesses(session, limits));
    await this.#file.write(removeLeftovers);
    if (removed > 0) this.#file.wakeUp.changed();
    return removed;
  }

  async #removeSuccesses({ successesMs, groupMs }: RetentionLimits): Promise<number> {
    if (successesMs === null) return 0;
    let at = this.#from;
    let kept: number | undefined;
    const removed = await this.#removeWhile((session) => {
      const walked = walk(session, at, { cutoff: session.now - successesMs, groupCutoff: session.now - groupMs });
      kept ??= walked.kept;
      at = walked.next;
      return walked;
    });
    this.#from = kept ?? at;
    return removed;
  }

  async #removeWhile(find: (session: Session) => Found): Promise<number> {
    let removed = 0;
    for (;;) {
      const { count, isMore } = await this.#file.write((session) => {
        const found = find(session);
        return { count: removeTasks(session, found.seqs), isMore: found.isMore };
      });
      removed += count;
      if (!isMore) return removed;
      await turn();
    }
  }
}

interface Walked extends Found {
  /** Where to go on. */
  readonly next: number;
  /** The first success that has to stay for now. */
  readonly kept: number | undefined;
}

interface WalkedRow {
  readonly seq: number;
  readonly state: string;
  readonly finished_at: number;
  readonly is_member: number;
}

const walkSql = `
  SELECT seq, state, finished_at, grp IS NOT NULL AS is_member FROM qluster_task NOT INDEXED
  WHERE seq >= ? AND project = ? ORDER BY seq LIMIT ${step}`;

/** Over the oldest tasks, up to the first that is young: `seq` ascends with the time of the end. */
function walk(
  session: Session,
  from: number,
  limits: { readonly cutoff: number; readonly groupCutoff: number },
): Walked {
  const rows = session.all<WalkedRow>(walkSql, [from, session.project]);
  const seqs: number[] = [];
  let next = from;
  let kept: number | undefined;
  for (const row of rows) {
    if (row.finished_at >= limits.cutoff) return { seqs, next: row.seq, kept, isMore: false };
    next = row.seq + 1;
    if (row.state !== "succeeded") continue;
    // Members of a group are kept for those who still wait for the whole group.
    if (row.is_member === 1 && row.finished_at >= limits.groupCutoff) kept ??= row.seq;
    else seqs.push(row.seq);
  }
  return { seqs, next, kept, isMore: rows.length === step };
}

const mayGo = "(grp IS NULL OR finished_at < ?2)";

const oldFailuresSql = `
  SELECT seq FROM qluster_task INDEXED BY qluster_task_other
  WHERE project = ?1 AND kind = ?5 AND (state <> 'succeeded' OR kind <> 'task') AND state <> 'succeeded'
    AND ${mayGo} AND finished_at < ?3
  ORDER BY seq LIMIT ?4`;

function oldFailures(session: Session, { failuresMs, groupMs }: RetentionLimits): Found {
  if (failuresMs === null) return nothing;
  const { project, now } = session;
  const seqs = ["task", "hook"].flatMap((kind) =>
    session.all<{ seq: number }>(oldFailuresSql, [project, now - groupMs, now - failuresMs, step, kind]),
  );
  return { seqs: seqs.map(({ seq }) => seq), isMore: seqs.length >= step };
}

const partitions = { group: "grp", name: "name", func: "func" } as const;

function surplusSuccesses(session: Session, { successesCount, per, groupMs }: RetentionLimits): Found {
  if (successesCount === null) return nothing;
  const by = per === null ? "kind" : `kind, ${partitions[per]}`;
  const seqs = session.all<{ seq: number }>(
    `SELECT seq FROM (
       SELECT seq, grp, finished_at, row_number() OVER (PARTITION BY ${by} ORDER BY seq DESC) AS place
       FROM qluster_task WHERE project = ?1 AND state = 'succeeded')
     WHERE place > ?3 AND ${mayGo} LIMIT ?4`,
    [session.project, session.now - groupMs, successesCount, step],
  );
  return { seqs: seqs.map(({ seq }) => seq), isMore: seqs.length === step };
}

const nothing: Found = { seqs: [], isMore: false };

/** What has ended by itself: nothing reads it any more, but the file would grow. */
function removeLeftovers(session: Session): void {
  const { project, now } = session;
  session.run("DELETE FROM qluster_heartbeat WHERE project = ? AND expires_at <= ?", [project, now - dayMs]);
  session.run("DELETE FROM qluster_order WHERE project = ? AND told_at <= ?", [project, now - dayMs]);
  session.run("DELETE FROM qluster_rollup WHERE project = ? AND minute <= ?", [project, now - rollupsMs]);
}
