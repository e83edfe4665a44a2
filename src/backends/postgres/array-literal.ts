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
