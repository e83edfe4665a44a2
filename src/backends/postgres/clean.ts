import type { RetentionLimits, TaskKind } from "../../contracts/store.js";
import {
  cleanStep,
  dayMs,
  mostSurplus,
  rollupsMs,
  walkFailures,
  walkTasks,
  type Found,
  type WalkedRow,
} from "../sql/retention.js";
import { expireFlows } from "./flow-cancel.js";
import type { ProjectDatabase } from "./project-database.js";
import { removeTasks, sweepFlows } from "./remove-tasks.js";
import { statement, type Statement } from "./statement.js";

const taskKinds = ["task", "hook", "chain", "iter", "batch"] as const satisfies readonly TaskKind[];
/** Records of flows go by their age alone. */
const countedKinds = ["task", "hook"] as const satisfies readonly TaskKind[];

/** A member of a flow that is open. */
const isOpen = `(member IS NOT NULL AND EXISTS (
     SELECT FROM {flow} f WHERE f.project = $1 AND f.id = split_part(member, '.', 1) AND f.state = 'open'))`;

const walkSql = statement(
  "walk-tasks",
  `SELECT seq, state, finished_at, grp IS NOT NULL AS is_member, ${isOpen} AS is_open, {now} AS now FROM {task}
   WHERE seq >= $2 AND project = $1 ORDER BY seq LIMIT ${cleanStep}`,
);
const failuresSql = statement(
  "walk-failures",
  `SELECT seq, finished_at, grp IS NOT NULL AS is_member, ${isOpen} AS is_open, {now} AS now FROM {task}
   WHERE project = $1 AND kind = $2 AND (state <> 'succeeded' OR kind <> 'task') AND seq >= $3 AND state <> 'succeeded'
   ORDER BY seq LIMIT ${cleanStep}`,
);

const mayGo = (limit: string): string => `(grp IS NULL OR finished_at < {now} - ${limit}::bigint) AND NOT ${isOpen}`;

/** With few enough there is nothing more to look at: it stops at the first that is one too many. */
const surplusSql = statement(
  "surplus",
  `SELECT seq FROM {task} WHERE project = $1 AND kind = $2 AND state = 'succeeded' AND ${mayGo("$4")}
     AND seq <= (SELECT seq FROM {task} WHERE project = $1 AND kind = $2 AND state = 'succeeded'
       ORDER BY seq DESC LIMIT 1 OFFSET $3::bigint)
   ORDER BY seq LIMIT ${mostSurplus}`,
);
const surplusOfEach = (column: string): Statement =>
  statement(
    `surplus-${column}`,
    `SELECT seq FROM (
       SELECT seq, member, grp, finished_at, row_number() OVER (PARTITION BY kind, ${column} ORDER BY seq DESC) AS place
       FROM {task} WHERE project = $1 AND state = 'succeeded' AND kind IN ('task', 'hook')) AS numbered
     WHERE place > $2::bigint AND ${mayGo("$3")} LIMIT ${mostSurplus}`,
  );
const surplusBy = { group: surplusOfEach("grp"), name: surplusOfEach("name"), func: surplusOfEach("func") } as const;

/** What has ended by itself: nothing reads it any more, but the tables would grow. */
const leftoversSql = statement(
  "leftovers",
  `WITH beats AS (DELETE FROM {heartbeat} WHERE project = $1 AND expires_at <= {now} - ${dayMs}),
     orders AS (DELETE FROM {order} WHERE project = $1 AND told_at <= {now} - ${dayMs})
   DELETE FROM {rollup} WHERE project = $1 AND minute <= {now} - ${rollupsMs}::bigint`,
);

type Timed<Row> = Row & { readonly now: number };

/** Removes finished tasks by the retention limits, in small steps. */
export class Cleaner {
  readonly #database: ProjectDatabase;
  /** Below it no success is left: what stands there is kept longer, and need not be walked over each time. */
  #from = 0;

  constructor(database: ProjectDatabase) {
    this.#database = database;
  }

  /** Resolves to the number of tasks removed. */
  async clean(limits: RetentionLimits): Promise<number> {
    const hasExpired = await expireFlows(this.#database);
    let removed = await this.#removeSuccesses(limits);
    for (const kind of taskKinds) removed += await this.#removeFailures(kind, limits);
    removed += await this.#remove(await this.#surplus(limits));
    await this.#database.run(leftoversSql);
    await sweepFlows(this.#database);
    if (hasExpired) this.#database.wakeUp.changed("messages");
    if (removed > 0 || hasExpired) this.#database.wakeUp.changed("results");
    return removed;
  }

  async #removeSuccesses({ successesMs, groupMs }: RetentionLimits): Promise<number> {
    if (successesMs === null) return 0;
    let at = this.#from;
    let kept: number | undefined;
    const removed = await this.#removeWhile(async () => {
      const rows = await this.#database.all<Timed<WalkedRow>>(walkSql, [at]);
      const now = rows[0]?.now ?? 0;
      const walked = walkTasks(rows, at, { cutoff: now - successesMs, groupCutoff: now - groupMs });
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
    return await this.#removeWhile(async () => {
      const rows = await this.#database.all<Timed<Omit<WalkedRow, "state">>>(failuresSql, [kind, at]);
      const now = rows[0]?.now ?? 0;
      const walked = walkFailures(rows, at, { cutoff: now - failuresMs, groupCutoff: now - groupMs });
      at = walked.next;
      return walked;
    });
  }

  /** Successes beyond the newest so many, of all together or of each group, name or function. */
  async #surplus({ successesCount, per, groupMs }: RetentionLimits): Promise<number[]> {
    if (successesCount === null) return [];
    if (per !== null) return numbers(await this.#database.all(surplusBy[per], [successesCount, groupMs]));
    const found: number[] = [];
    for (const kind of countedKinds) {
      found.push(...numbers(await this.#database.all(surplusSql, [kind, successesCount, groupMs])));
    }
    return found;
  }

  async #removeWhile(find: () => Promise<Found>): Promise<number> {
    let removed = 0;
    for (;;) {
      const { seqs, isMore } = await find();
      removed += await this.#remove(seqs);
      if (!isMore) return removed;
    }
  }

  /** A number is never used twice: what somebody else has removed meanwhile stays removed, and nothing else is. */
  async #remove(seqs: readonly number[]): Promise<number> {
    let removed = 0;
    for (let at = 0; at < seqs.length; at += cleanStep) {
      removed += await removeTasks(this.#database, seqs.slice(at, at + cleanStep));
    }
    return removed;
  }
}

function numbers(rows: readonly { readonly seq: number }[]): number[] {
  return rows.map(({ seq }) => seq);
}
