/** Longer texts are cut: a note is a line for people, in characters. */
const longestNote = 10_000;

/** What a task reports, as a text that every store can hold. Never throws, whatever `value` is. */
export function noteText(value: unknown): string {
  try {
    return String(value).slice(0, longestNote);
  } catch {
    return "(a value that cannot be shown as text)";
  }
}
