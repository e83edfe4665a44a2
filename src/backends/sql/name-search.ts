import { humanName } from "../../core/ids.js";

export interface NamedRow {
  readonly id: string;
  readonly queued_at: number;
}

/** A row of the walk over tasks without a name of their own. */
export interface ScannedRow extends NamedRow {
  readonly seq: number;
  readonly name: string | null;
}

/** How far a search by name goes. */
export const nameSearch = {
  /** So many of the newest tasks are looked through for a name that was made from an id, as no index has it. */
  scanned: 100_000,
  /** So many of one name are compared: those that were stored last. */
  compared: 100,
  /** Read and compared in one turn of the loop. */
  step: 2_000,
} as const;

/** The one that was queued last. */
export function newest(rows: readonly (NamedRow | undefined)[]): NamedRow | undefined {
  const found = rows.filter((row) => row !== undefined);
  return found.sort((a, b) => b.queued_at - a.queued_at || (a.id < b.id ? 1 : -1))[0];
}

/** Whether a name may have been made from an id: four words. */
export function mayBeMade(name: string): boolean {
  return /^[a-z]+(-[a-z]+){3}$/.test(name);
}

/** The first row whose id spells `name`. */
export function madeFrom(rows: readonly ScannedRow[], name: string): ScannedRow | undefined {
  // An id that is not ours has no name of its own.
  return rows.find((row) => row.name === null && /^[0-9a-f]{32}$/.test(row.id) && humanName(row.id) === name);
}
