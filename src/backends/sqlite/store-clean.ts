import { setImmediate as turn } from "node:timers/promises";
import type { RetentionLimits, TaskKind } from "../../contracts/store.js";
import {
  cleanStep,
  dayMs,
  mostSurplus,
  rollupsMs,
  walkFailures,
  walkTasks,
  type Cutoffs,
  type Found,
  type Walked,
  type WalkedRow,
} from "../sql/retention.js";
import { expireFlows, isAnyOverdue } from "./flow-cancel.js";
import type { ProjectFile, Session } from "./project-file.js";
import { removeTasks } from "./remove-tasks.js";

const taskKinds = ["task", "hook", "chain", "iter", "batch"] as const satisfies readonly TaskKind[];

/** A member of a flow that is open. */
const isOpen = `member IS NOT NULL AND EXISTS (
    SELECT 1 FROM qluster_flow f
    WHERE f.project = qluster_task.project AND f.id = substr(member, 1, instr(member, '.') - 1) AND f.state = 'open')`;

/** Removes finished tasks by the retention limits. Looks by reads; only what goes takes the write lock, and briefly. */
export class Cleaner {
  readonly #file: ProjectFile;
  /** Below it no success is left: what stands there is kept longer, and need not be walked over each time. */
  #from = 0;

  constructor(file: ProjectFile) {
    this.#file = file;
  }

  /** Resolves to the number of tasks removed. */
  async clean(limits: RetentionLimits): Promise<number> {
    if (await this.#file.read(isAnyOverdue)) {
      await this.#file.write(expireFlows);
      this.#file.wakeUp.changed();
    }
    let removed = await this.#removeSuccesses(limits);
    for (const kind of taskKinds) removed += await this.#removeFailures(kind, limits);
    removed += await this.#remove(await this.#file.read((session) => surplusSuccesses(session, limits)));
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

  async #removeFailures(kind: TaskKind, { failuresMs, groupMs }: RetentionLimits): Promise<number> {
    if (failuresMs === null) return 0;
    let at = 0;
    return await this.#removeWhile((session) => {
      const cutoffs = { cutoff: session.now - failuresMs, groupCutoff: session.now - groupMs };
      const walked = failuresOf(session, kind, at, cutoffs);
      at = walked.next;
      return walked;
    });
  }

  async #removeWhile(find: (session: Session) => Found): Promise<number> {
    let removed = 0;
    for (;;) {
      const { seqs, isMore } = await this.#file.read(find);
      removed += await this.#remove(seqs);
      if (!isMore) return removed;
      await turn();
    }
  }

  /** A number is never used twice: what somebody else has removed meanwhile stays removed, and nothing else is. */
  async #remove(seqs: readonly number[]): Promise<number> {
    let removed = 0;
    for (let at = 0; at < seqs.length; at += cleanStep) {
      if (at > 0) await turn();
      removed += await this.#file.write((session) => removeTasks(session, seqs.slice(at, at + cleanStep)));
    }
    return removed;
  }
}

const walkSql = `
  SELECT seq, state, finished_at, grp IS NOT NULL AS is_member, ${isOpen} AS is_open FROM qluster_task NOT INDEXED
  WHERE seq >= ? AND project = ? ORDER BY seq LIMIT ${cleanStep}`;

function walk(session: Session, from: number, limits: Cutoffs): Walked {
  return walkTasks(session.all<WalkedRow>(walkSql, [from, session.project]), from, limits);
}

const failuresSql = `
  SELECT seq, finished_at, grp IS NOT NULL AS is_member, ${isOpen} AS is_open FROM qluster_task INDEXED BY qluster_task_other
  WHERE project = ? AND kind = ? AND (state <> 'succeeded' OR kind <> 'task') AND seq >= ? AND state <> 'succeeded'
  ORDER BY seq LIMIT ${cleanStep}`;

/** The same over the failures of one kind, which an index keeps together. */
function failuresOf(
  session: Session,
  kind: TaskKind,
  from: number,
  limits: Cutoffs,
): Found & { readonly next: number } {
  const rows = session.all<Omit<WalkedRow, "state">>(failuresSql, [session.project, kind, from]);
  return walkFailures(rows, from, limits);
}

const mayGo = `(grp IS NULL OR finished_at < ?2) AND NOT (${isOpen})`;
const partitions = { group: "grp", name: "name", func: "func" } as const;

/** Successes beyond the newest so many, of all together or of each group, name or function. */
function surplusSuccesses(session: Session, { successesCount, per, groupMs }: RetentionLimits): readonly number[] {
  if (successesCount === null) return [];
  const groupCutoff = session.now - groupMs;
  if (per !== null) return surplusOfEach(session, partitions[per], successesCount, groupCutoff);
  return countedKinds.flatMap((kind) => surplusOfKind(session, kind, successesCount, groupCutoff));
}

/** Records of flows go by their age alone. */
const countedKinds = ["task", "hook"] as const satisfies readonly TaskKind[];
type CountedKind = (typeof countedKinds)[number];

/** Tasks stand in the table in the order of their end; the few hooks among them are found by their index. */
const ofKind = {
  task: "FROM qluster_task NOT INDEXED WHERE project = ?1 AND kind = 'task' AND state = 'succeeded'",
  hook:
    "FROM qluster_task INDEXED BY qluster_task_other WHERE project = ?1 AND kind = 'hook' " +
    "AND (state <> 'succeeded' OR kind <> 'task') AND state = 'succeeded'",
} as const satisfies Record<CountedKind, string>;

/** Walks over those that stay only, and numbers none: with few enough there is nothing more to look at. */
function surplusOfKind(session: Session, kind: CountedKind, count: number, groupCutoff: number): number[] {
  const newest = session.first<{ seq: number }>(`SELECT seq ${ofKind[kind]} ORDER BY seq DESC LIMIT 1 OFFSET ?2`, [
    session.project,
    count,
  ]);
  if (newest === undefined) return [];
  return session
    .all<{ seq: number }>(`SELECT seq ${ofKind[kind]} AND seq <= ?3 AND ${mayGo} ORDER BY seq LIMIT ${mostSurplus}`, [
      session.project,
      groupCutoff,
      newest.seq,
    ])
    .map(({ seq }) => seq);
}

function surplusOfEach(session: Session, column: string, count: number, groupCutoff: number): number[] {
  return session
    .all<{ seq: number }>(
      `SELECT seq FROM (
         SELECT seq, project, member, grp, finished_at, row_number() OVER (PARTITION BY kind, ${column} ORDER BY seq DESC) AS place
         FROM qluster_task WHERE project = ?1 AND state = 'succeeded' AND kind IN ('task', 'hook')) AS qluster_task
       WHERE place > ?3 AND ${mayGo} LIMIT ${mostSurplus}`,
      [session.project, groupCutoff, count],
    )
    .map(({ seq }) => seq);
}

/** What has ended by itself: nothing reads it any more, but the file would grow. */
function removeLeftovers(session: Session): void {
  const { project, now } = session;
  session.run("DELETE FROM qluster_heartbeat WHERE project = ? AND expires_at <= ?", [project, now - dayMs]);
  session.run("DELETE FROM qluster_order WHERE project = ? AND told_at <= ?", [project, now - dayMs]);
  session.run("DELETE FROM qluster_rollup WHERE project = ? AND minute <= ?", [project, now - rollupsMs]);
}
