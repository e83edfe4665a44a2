import type { ErrorRecord } from "../../contracts/store.js";

/** An error as its column keeps it: JSON, readable in SQL. */
export function errorText(error: ErrorRecord | null): string | null {
  return error === null ? null : JSON.stringify(error);
}

export function errorFrom(text: string | null): ErrorRecord | null {
  return text === null ? null : (JSON.parse(text) as ErrorRecord);
}
