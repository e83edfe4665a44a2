/**
 * Where time comes from. Durations inside one process use {@link Clock.monotonic}; instants that several hosts
 * compare (leases, delays, expiry, order) use the store's own clock, inside its statements.
 */
export interface Clock {
  /** Wall time, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly now: () => number;
  /** A time that never steps back, in milliseconds from an arbitrary start. */
  readonly monotonic: () => number;
}
