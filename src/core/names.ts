import { TooLongError } from "../errors.js";

/** More edits than these make another word. */
const maxEdits = 4;

/**
 * The known name that was most likely meant, or `undefined` when none is close. Letter case does not count, and of a
 * dotted name the last parts are enough: `resize` may mean `core.images.resize`.
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.min(maxEdits, Math.max(1, Math.floor(wanted.length / 3))) + 1;
  for (const candidate of known) {
    const distance = distanceTo(wanted, candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Of the whole name or of its last parts, as many as `wanted` has; whole names come before parts. */
function distanceTo(wanted: string, candidate: string, limit: number): number {
  const tail = candidate.split(".").slice(-wanted.split(".").length).join(".");
  const [text, handicap] = tail === candidate ? [candidate, 0] : [tail, 0.5];
  return Math.abs(text.length - wanted.length) < limit ? editDistance(wanted, text) + handicap : Infinity;
}

/** Insertions, deletions, replacements and swaps of neighbours between two texts (Damerau-Levenshtein). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        at(previous, j) + 1,
        at(row, j - 1) + 1,
        at(previous, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
        swapped ? at(before, j - 2) + 1 : Infinity,
      );
    }
    [before, previous] = [previous, row];
  }
  return at(previous, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}

/**
 * The name of a plain exported task function, from where it stands: `src/core/tasks.ts` and `moderateReview` make
 * `core.tasks.moderateReview`. Source and build agree: a leading `dist`, `build` or `lib`, and then `src`, is left out,
 * and so is the extension. A default export has the name of its module, an index file the name of its folder.
 *
 * @param relativePath - From the folder of the configuration, with `/` or `\`.
 */
export function taskNameOf(relativePath: string, exportName: string): string {
  const parts = relativePath
    .replace(/\.[cm]?[jt]sx?$/, "")
    .split(/[\\/]+/)
    .filter((part) => part !== "" && part !== "." && part !== "..");
  if (parts.length > 1 && /^(?:dist|build|lib)$/.test(parts[0] ?? "")) parts.shift();
  if (parts.length > 1 && parts[0] === "src") parts.shift();
  if (parts.at(-1) === "index" && (parts.length > 1 || exportName !== "default")) parts.pop();
  return exportName === "default" ? parts.join(".") : [...parts, exportName].join(".");
}

/**
 * Refuses what no column could hold.
 *
 * @param what - What it is, for the message: `group`, `task name`.
 * @throws {TooLongError} when `value` has more than `max` characters.
 */
export function checkLength(what: string, value: string, max: number): void {
  if (value.length <= max) return;
  const length = Array.from(value).length;
  if (length > max) throw new TooLongError(what, value, length, max);
}
