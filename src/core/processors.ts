/**
 * The processors a worker is held to, when each gets so many: consecutive ones, going round.
 *
 * @param available - The numbers of the processors that this program may use.
 * @param perWorker - 0, or as many as there are: no worker is held to any.
 * @param place - Which of the workers, counted from 0.
 * @returns `undefined` for all of them. Django Q2: `cluster.set_cpu_affinity`.
 */
export function processorsOf(
  available: readonly number[],
  perWorker: number,
  place: number,
): readonly number[] | undefined {
  if (perWorker === 0 || perWorker >= available.length) return undefined;
  return Array.from({ length: perWorker }, (_, n) => available[(place * perWorker + n) % available.length]!);
}

/** A list as Linux writes it, `"0-3,8"`, as numbers. Empty when it is none. */
export function parseProcessorList(text: string): number[] {
  return text.split(",").flatMap((part) => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part.trim()) ?? [];
    if (first === undefined) return [];
    return Array.from({ length: Number(last) - Number(first) + 1 }, (_, n) => Number(first) + n);
  });
}
