const separator = "\u0001";
const nothing = "\u0002";

/**
 * Texts as one text, for {@link joinedArray}: an array's literal costs twenty times as much, as it escapes each quote, and texts of
 * ours are JSON. `null`: all of them are NULL. `undefined`: they cannot be told apart so, and have to go as a literal.
 */
export function joinedTexts(values: readonly (string | null)[]): string | null | undefined {
  let hasText = false;
  let hasNull = false;
  for (const value of values) {
    if (value === null) hasNull = true;
    else if (value === nothing || value.includes(separator)) return undefined;
    else hasText = true;
  }
  if (!hasText) return null;
  const text = (hasNull ? values.map((value) => value ?? nothing) : values).join(separator);
  // One text that is empty would read as no text.
  return text === "" ? undefined : text;
}

/** The array of a parameter that {@link joinedTexts} wrote: NULL when all of its elements are. */
export function joinedArray(parameter: number): string {
  return String.raw`string_to_array($${parameter}::text, E'\x01', E'\x02')`;
}
