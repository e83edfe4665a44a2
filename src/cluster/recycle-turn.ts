/**
 * After how many tasks the nth worker that a cluster starts is replaced. The first ones get fewer, each another number, down
 * to half: workers share the work evenly, and would all be replaced in the same moment, with nobody left to do any.
 *
 * @param nth - From 1.
 * @param recycle - The option: the most tasks in one worker; 0 for never.
 */
export function recycleTurn(nth: number, size: number, recycle: number): number {
  return nth > size ? recycle : Math.ceil(recycle * (1 - (nth - 1) / (2 * size)));
}
