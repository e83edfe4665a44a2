/** Tasks in one write: others write in between. */
export const cleanStep = 500;
/** Tasks that one call finds by their number: the rest is for the next one. */
export const mostSurplus = 100_000;
export const dayMs = 86_400_000;
/** Charts look back so far. */
export const rollupsMs: number = 90 * dayMs;

/** Before when a task must have ended to go. */
export interface Cutoffs {
  readonly cutoff: number;
  /** Members of a group are kept for those who still wait for the whole group. */
  readonly groupCutoff: number;
}

/** What one step found: tasks to remove, and whether there may be more. */
export interface Found {
  readonly seqs: readonly number[];
  readonly isMore: boolean;
}

export interface Walked extends Found {
  /** Where to go on. */
  readonly next: number;
  /** The first success that has to stay for now. */
  readonly kept: number | undefined;
}

export interface WalkedRow {
  readonly seq: number;
  readonly state: string;
  readonly finished_at: number;
  /** Belongs to a group. */
  readonly is_member: number | boolean;
  /** A member of a flow that has not ended. */
  readonly is_open?: number | boolean | undefined;
}

/** Over the oldest tasks, up to the first that is young: `seq` ascends with the time of the end. */
export function walkTasks(rows: readonly WalkedRow[], from: number, limits: Cutoffs): Walked {
  const seqs: number[] = [];
  let next = from;
  let kept: number | undefined;
  for (const row of rows) {
    if (row.finished_at >= limits.cutoff) return { seqs, next: row.seq, kept, isMore: false };
    next = row.seq + 1;
    if (row.state !== "succeeded") continue;
    if (isKept(row, limits)) kept ??= row.seq;
    else seqs.push(row.seq);
  }
  return { seqs, next, kept, isMore: rows.length === cleanStep };
}

/** The same over failures alone. */
export function walkFailures(
  rows: readonly Omit<WalkedRow, "state">[],
  from: number,
  limits: Cutoffs,
): Found & { readonly next: number } {
  const young = rows.findIndex((row) => row.finished_at >= limits.cutoff);
  const old = young === -1 ? rows : rows.slice(0, young);
  const gone = old.filter((row) => !isKept(row, limits));
  return {
    seqs: gone.map(({ seq }) => seq),
    next: (rows.at(-1)?.seq ?? from) + 1,
    isMore: young === -1 && rows.length === cleanStep,
  };
}

/** Somebody may still wait for the whole group, or the flow has not ended. */
function isKept(row: Omit<WalkedRow, "state">, { groupCutoff }: Cutoffs): boolean {
  return isTrue(row.is_open) || (isTrue(row.is_member) && row.finished_at >= groupCutoff);
}

function isTrue(value: number | boolean | undefined): boolean {
  return value === true || value === 1;
}
