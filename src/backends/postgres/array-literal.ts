/** Numbers as the text of a Postgres array. Several times faster than the driver's own code for arrays. */
export function numberArray(values: readonly (number | null)[]): string {
  return `{${values.map((value) => (value === null ? "NULL" : String(value))).join(",")}}`;
}

const special = /["\\]/g;

/** Texts as the text of a Postgres array. */
export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map(element).join(",")}}`;
}

function element(value: string | null): string {
  return value === null ? "NULL" : `"${value.replace(special, String.raw`\$&`)}"`;
}

/**
 * Arrays side by side, as rows: the parameters from `first` on, by the types of their elements. Behind a subselect the planner does
 * not see how long they are, and expects few rows: so it looks each one up by its key, also in a table that was never
 * analysed, where it would else read everything.
 */
export function rowsOf(first: number, ...types: readonly string[]): string {
  return `unnest(${types.map((type, index) => `(SELECT $${first + index}::${type}[])`).join(", ")})`;
}
