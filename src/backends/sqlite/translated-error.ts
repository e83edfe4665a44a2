import { SchemaError, StoreDamagedError, StoreUnavailableError } from "../../errors.js";
import { advice, isAway, isBroken, isBusy, isDamaged, isMissingTable } from "./sqlite-error.js";

/** A driver's error as the contracts name it: what is worth retrying, and what is not. Others are returned as they are. */
export function translated(location: string, cause: unknown): unknown {
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (isBusy(cause) || isAway(cause)) {
    return new StoreUnavailableError(
      `The database file "${location}" cannot be used at the moment: ${reason}. ${advice(cause)}`,
      { cause, maybeWritten: isBroken(cause) },
    );
  }
  if (isDamaged(cause)) {
    return new StoreDamagedError(
      `The file "${location}" cannot be read as an SQLite database: ${reason}. Restore it, or name another file.`,
      { cause },
    );
  }
  if (isMissingTable(cause)) {
    return new SchemaError(
      `The Qluster tables in "${location}" are missing or not the expected ones: ${reason}. Run: npx qluster migrate`,
      { cause },
    );
  }
  return cause;
}

/** Throws what {@link translated} makes of the errors of `work`. */
export function translating<T>(location: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw translated(location, error);
  }
}
