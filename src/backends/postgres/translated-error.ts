import { ConfigError, OptionError, QlusterError, SchemaError, StoreUnavailableError } from "../../errors.js";
import * as postgres from "./postgres-error.js";

/**
 * A driver's error as the contracts name it: what is worth retrying, and what is not. Others are returned as they are.
 *
 * @param place - The database for people, without a password.
 */
export function translated(place: string, cause: unknown): unknown {
  if (cause instanceof QlusterError) return cause;
  return outage(place, cause) ?? fault(place, cause) ?? cause;
}

function outage(place: string, cause: unknown): StoreUnavailableError | undefined {
  // A refused encryption looks like a refused login or a broken connection, and neither is worth a wait.
  if (postgres.isTlsFault(cause)) return undefined;
  const isLost = postgres.isLost(cause);
  if (!isLost && !postgres.isUnreachable(cause) && !postgres.isBusy(cause)) return undefined;
  return new StoreUnavailableError(
    `The Postgres database ${place} cannot be used at the moment: ${postgres.messageOf(cause)}. ${postgres.advice(cause)}`,
    { cause, maybeWritten: isLost },
  );
}

function fault(place: string, cause: unknown): QlusterError | undefined {
  const reason = postgres.messageOf(cause);
  if (postgres.isTlsFault(cause)) {
    return new ConfigError([
      `database: ${place} and Qluster do not agree on encryption: ${reason}. Set sslmode in the address: disable, require ` +
        "(encrypts), verify-full (also checks the certificate, with sslrootcert=<file> for one of your own).",
    ]);
  }
  if (postgres.isLoginFault(cause)) {
    return new ConfigError([`database: ${place} refuses the connection: ${reason}. ${loginAdvice(cause)}`]);
  }
  if (postgres.isMissingPrivilege(cause)) {
    return new ConfigError([
      `database: the role of ${place} may not do what Qluster needs: ${reason}. ` +
        "Grant it what docs/postgres.md lists, or run `npx qluster migrate` as a role that may create tables.",
    ]);
  }
  if (postgres.isMissingTable(cause)) {
    return new SchemaError(
      `The Qluster tables in ${place} are missing or not the expected ones: ${reason}. Run: npx qluster migrate`,
      { cause },
    );
  }
  if (postgres.isUnstorable(cause)) {
    return new OptionError(
      `Postgres cannot keep the character with the code 0, which a name, group, key or the like has: ${reason}. Leave it out.`,
    );
  }
  return undefined;
}

function loginAdvice(cause: unknown): string {
  if (postgres.codeOf(cause) === "3D000") return "Create the database, or correct its name in the address.";
  return "Check user and password; in an address, write %40 for @, %2F for / and %25 for % in them.";
}
