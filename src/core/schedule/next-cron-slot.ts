import { nextWallTime } from "./next-wall-time.js";
import type { Cron } from "./parse-cron.js";
import type { Stretch, ZoneClock } from "./zone-clock.js";

/** Later than this nobody looks, in milliseconds since 1970: the year 9999. */
export const lastInstant: number = Date.UTC(9999, 11, 31);

/**
 * The first instant after `after` that an expression allows in a zone.
 *
 * A rule that runs in every hour follows elapsed time: it has no slot in a gap of the clocks, and runs in both passes of a
 * repeated hour. A rule with fixed hours runs once for each of its wall times: one in a gap is shifted by it, and of one
 * that comes twice the first pass counts.
 */
export function nextCronSlot(cron: Cron, after: number, zone: ZoneClock): number | null {
  let stretch = zone.stretchAt(after);
  for (;;) {
    const wallTime = nextWallTime(cron, startIn(cron, stretch, after));
    const own = wallTime === null ? Infinity : wallTime - stretch.offset;
    const slot = Math.min(
      own < stretch.end ? own : Infinity,
      cron.everyHour ? Infinity : shifted(cron, stretch, after),
    );
    if (slot < Infinity) return slot;
    if (stretch.end > lastInstant) return null;
    stretch = zone.stretchAt(stretch.end);
  }
}

/** From which wall time on to look in a stretch. With fixed hours, what the clocks show a second time is over. */
function startIn(cron: Cron, { start, offset, before }: Stretch, after: number): number {
  if (start === -Infinity) return after + offset;
  const from = Math.max(after, start - 1) + offset;
  return cron.everyHour ? from : Math.max(from, start - 1 + before);
}

/** The first wall time that the clocks have skipped before this stretch, as the instant that it is shifted to. */
function shifted(cron: Cron, { start, offset, before }: Stretch, after: number): number {
  if (offset <= before) return Infinity;
  const wallTime = nextWallTime(cron, Math.max(after, start - 1) + before);
  return wallTime !== null && wallTime < start + offset ? wallTime - before : Infinity;
}
