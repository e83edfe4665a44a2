import type { Temporal as TemporalTypes } from "temporal-polyfill";
import { checkZone } from "./check-zone.js";

/** A stretch of time in which a zone's clocks are set alike. Instants and offsets in milliseconds. */
export interface Stretch {
  /** The first instant of it, or -Infinity. */
  readonly start: number;
  /** The first instant after it, or Infinity. */
  readonly end: number;
  /** What the clocks are ahead of UTC. */
  readonly offset: number;
  /** What they were before `start`. */
  readonly before: number;
}

/**
 * The clocks of one time zone. A *wall time* is what they show, written as the milliseconds since 1970 that UTC would
 * have when its clocks show the same.
 */
export interface ZoneClock {
  readonly name: string;
  stretchAt(instant: number): Stretch;
}

/** A wall time is at most so far from its instant: zones go from UTC-12 to UTC+14. */
const mostAheadMs = 15 * 3_600_000;

export function wallTimeAt(zone: ZoneClock, instant: number): number {
  return instant + zone.stretchAt(instant).offset;
}

/**
 * The instant at which the clocks show `wallTime`. One that they skip counts as if they had not been moved yet, so it is
 * later by what they skip; of one that they show twice the first counts.
 */
export function instantOf(zone: ZoneClock, wallTime: number): number {
  let stretch = zone.stretchAt(wallTime - mostAheadMs);
  for (;;) {
    const instant = wallTime - stretch.offset;
    if (instant < stretch.start) return wallTime - stretch.before;
    if (instant < stretch.end) return instant;
    stretch = zone.stretchAt(stretch.end);
  }
}

const utc: ZoneClock = {
  name: "UTC",
  stretchAt: () => ({ start: -Infinity, end: Infinity, offset: 0, before: 0 }),
};

const clocks = new Map<string, ZoneClock>([["UTC", utc]]);

/**
 * The clocks of a zone by its IANA name. A promise only for the first zone that is not UTC, which loads Temporal.
 *
 * @throws {ScheduleError} for a zone that this runtime does not know, with the nearest name.
 */
export function zoneClock(name: unknown): ZoneClock | Promise<ZoneClock> {
  const known = typeof name === "string" ? clocks.get(name) : undefined;
  if (known !== undefined) return known;
  const zone = checkZone(name);
  if (zone === "UTC") return utc;
  return loaded === undefined ? loadTemporal().then(() => openClock(zone)) : openClock(zone);
}

function openClock(zone: string): ZoneClock {
  const clock = clocks.get(zone) ?? new TemporalClock(zone, loaded!);
  clocks.set(zone, clock);
  return clock;
}

type TemporalNamespace = typeof TemporalTypes;
let loaded: TemporalNamespace | undefined;

/** Loads Temporal, the runtime's own or else the polyfill. From then on no zone has to be waited for. */
export async function loadTemporal(): Promise<void> {
  const own = (globalThis as { readonly Temporal?: TemporalNamespace }).Temporal;
  loaded ??= own ?? (await import("temporal-polyfill")).Temporal;
}

/** Asks Temporal once for each stretch: finding one takes it a third of a millisecond. */
class TemporalClock implements ZoneClock {
  readonly name: string;
  readonly #temporal: TemporalNamespace;
  readonly #stretches: Stretch[] = [];
  #last: Stretch | undefined;

  constructor(name: string, temporal: TemporalNamespace) {
    this.name = name;
    this.#temporal = temporal;
  }

  stretchAt(instant: number): Stretch {
    if (this.#last !== undefined && holds(this.#last, instant)) return this.#last;
    let stretch = this.#stretches.find((one) => holds(one, instant));
    if (stretch === undefined) this.#stretches.push((stretch = this.#ask(instant)));
    return (this.#last = stretch);
  }

  #ask(instant: number): Stretch {
    const there = this.#at(instant);
    // The change before is looked for from the next instant, so that one at `instant` itself is found.
    const start = this.#at(Math.floor(instant) + 1).getTimeZoneTransition("previous")?.epochMilliseconds ?? -Infinity;
    const end = there.getTimeZoneTransition("next")?.epochMilliseconds ?? Infinity;
    const offset = offsetOf(there);
    return { start, end, offset, before: start === -Infinity ? offset : offsetOf(this.#at(start - 1)) };
  }

  #at(instant: number): TemporalTypes.ZonedDateTime {
    return this.#temporal.Instant.fromEpochMilliseconds(Math.floor(instant)).toZonedDateTimeISO(this.name);
  }
}

function holds({ start, end }: Stretch, instant: number): boolean {
  return instant >= start && instant < end;
}

function offsetOf(time: TemporalTypes.ZonedDateTime): number {
  return time.offsetNanoseconds / 1e6;
}
