/** How far long work has come. */
export interface Counts {
  readonly done: number;
  /** As far as is known by now; it may grow. */
  readonly total: number;
  readonly failed?: number | undefined;
  readonly retried?: number | undefined;
}

export interface BarLook {
  /** Columns that the line may take. */
  readonly width: number;
  /** Block characters instead of `#` and `-`. */
  readonly blocks: boolean;
}

const leastCells = 10;
const mostCells = 40;

/**
 * One line, never wider than `look.width`: a bar with what fits beside it, the least important left out first.
 *
 * @param elapsedMs - Since the work began, in milliseconds; for rate and rest.
 */
export function renderBar(label: string, counts: Counts, elapsedMs: number, look: BarLook): string {
  const percent = `${String(percentOf(counts)).padStart(3)} %`;
  const details = detailsOf(counts, elapsedMs);
  for (let kept = details.length; kept >= 0; kept--) {
    const right = [percent, ...details.slice(0, kept)].join("  ");
    const cells = look.width - label.length - right.length - 2;
    if (cells >= leastCells) return `${label} ${bar(counts, Math.min(cells, mostCells), look.blocks)} ${right}`;
  }
  return percent.trim().slice(0, Math.max(0, look.width));
}

/** The same for a log: `label: 62 %, 1,240 of 2,000, 3 failed`. */
export function renderPlain(label: string, counts: Counts, elapsedMs: number): string {
  return `${label}: ${[`${percentOf(counts)} %`, ...detailsOf(counts, elapsedMs)].join(", ")}`;
}

/** From 0 to 100, and 100 only when all is done. */
export function percentOf({ done, total }: Counts): number {
  if (total <= 0) return 0;
  return Math.max(0, Math.min(100, Math.floor((done / total) * 100)));
}

function bar(counts: Counts, cells: number, blocks: boolean): string {
  const filled = Math.floor((percentOf(counts) / 100) * cells);
  const [full, empty] = blocks ? ["█", "░"] : ["#", "-"];
  return full.repeat(filled) + empty.repeat(cells - filled);
}

function detailsOf(counts: Counts, elapsedMs: number): string[] {
  const { done, total, failed = 0, retried = 0 } = counts;
  const perSecond = elapsedMs > 0 ? (done / elapsedMs) * 1_000 : 0;
  const details = [`${group(done)} of ${group(total)}`];
  if (failed > 0) details.push(`${group(failed)} failed`);
  if (retried > 0) details.push(`${group(retried)} retried`);
  if (perSecond > 0)
    details.push(`${group(perSecond < 10 ? Math.round(perSecond * 10) / 10 : Math.round(perSecond))}/s`);
  if (perSecond > 0 && done < total) details.push(`${restOf((total - done) / perSecond)} left`);
  return details;
}

function restOf(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Thousands with commas, whatever the machine's language. */
export function group(value: number): string {
  return value.toLocaleString("en-US");
}
