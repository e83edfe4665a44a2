import { jsonPlace } from "./json-place.js";
import { UsageError } from "./usage-error.js";

/**
 * Reads the arguments of a task from the command line.
 *
 * @param text - JSON. An array is the list of arguments, anything else is the one argument, as for `asyncIter`.
 * @throws {UsageError} that shows where the text stops being JSON.
 */
export function readArguments(text: string | undefined): unknown[] {
  if (text === undefined) return [];
  const place = jsonPlace(text);
  if (place === undefined) {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [value];
  }
  throw new UsageError(
    `The arguments are no JSON: expected ${place.expected} at character ${place.offset + 1}.\n` +
      `${pointAt(text, place.offset)}\n${adviceFor(text)}`,
  );
}

const around = 30;

/** The line of `text` around `offset` with an arrow below. */
function pointAt(text: string, offset: number): string {
  const start = Math.max(0, offset - around);
  const [before, after] = [oneLine(text.slice(start, offset)), oneLine(text.slice(offset, offset + around))];
  const lead = start > 0 ? "…" : "";
  const tail = offset + around < text.length ? "…" : "";
  return `  ${lead}${before}${after}${tail}\n  ${" ".repeat(lead.length + before.length)}^`;
}

function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- line feeds and escapes would break the picture
  return text.replace(/[\u0000-\u001F\u007F-\u009F]/g, " ");
}

function adviceFor(text: string): string {
  const bare = /^[^\s"'[\]{}:,]+$/.test(text);
  if (bare) return `A text needs quotes inside quotes: '"${text}"'.`;
  return `Write one JSON array in single quotes, for example: '["a1", 300]'. Without them a shell takes the double quotes away.`;
}
