/** `performance.now()` counts from the start of the process or thread; processes are compared by the host's own count. */
const offset = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Milliseconds on the host's monotonic clock: the same in every process and thread. Cheaper than `hrtime`, which makes a BigInt. */
export function monotonic(): number {
  return performance.now() + offset;
}
