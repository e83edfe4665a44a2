/** What is known of a driver's error: the server's SQLSTATE, or the code of the operating system. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = (error as { readonly code?: unknown }).code;
  return typeof code === "string" ? code : undefined;
}

export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(messageOf).join(", ");
  return error instanceof Error ? error.message : String(error);
}

const lostCodes = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "57P01", "57P02", "57P05"]);
const unreachableCodes = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
  "57P03",
  "53300",
]);
const busyCodes = new Set([
  "40001",
  "40P01",
  "55P03",
  "57014",
  "25P03",
  "25P04",
  "25006",
  "53100",
  "53200",
  "53400",
  "58030",
]);
const lostTexts = /Connection terminated|not queryable|Query read timeout|Connection ended|Client was closed/i;

/** The connection broke: what was being written may be there or not. */
export function isLost(error: unknown): boolean {
  const code = codeOf(error);
  if (code === undefined) return lostTexts.test(messageOf(error));
  return lostCodes.has(code) || code.startsWith("08");
}

/** The server cannot be reached, or not now. */
export function isUnreachable(error: unknown): boolean {
  const code = codeOf(error);
  return code === undefined
    ? /timeout exceeded when trying to connect/i.test(messageOf(error))
    : unreachableCodes.has(code);
}

/** The server answered that it cannot do it at the moment, and took back what there was. */
export function isBusy(error: unknown): boolean {
  return busyCodes.has(codeOf(error) ?? "");
}

/** Two transactions stood in each other's way: the same again will do. */
export function isConflict(error: unknown): boolean {
  return ["40001", "40P01"].includes(codeOf(error) ?? "");
}

/** A row with this key is there already. Nothing of the statement was stored. */
export function isDuplicate(error: unknown): boolean {
  return codeOf(error) === "23505";
}

/** A proxy handed our prepared statement's name to another connection. */
export function isForeignStatement(error: unknown): boolean {
  return ["26000", "42P05"].includes(codeOf(error) ?? "");
}

/** What to do about a server that cannot be used at the moment. */
export function advice(error: unknown): string {
  const code = codeOf(error) ?? "";
  return advices[code] ?? "Check that it runs, and that this machine reaches it.";
}

const advices: Readonly<Record<string, string>> = {
  ENOTFOUND: "Check the name of the host.",
  EAI_AGAIN: "Check the name of the host and the name service.",
  ENOENT: "Check the folder of its socket.",
  "53300": "Raise max_connections, or give Qluster fewer with ?max=5.",
  "53100": "Free some space on the disk of the server.",
  "53200": "Give the server more memory.",
  "57014": "Raise statement_timeout for this role, or look for what slows the server down.",
  "57P03": "It is starting or stopping; wait.",
  "55P03": "Look for a transaction that keeps a lock.",
  "25P03": "Raise idle_in_transaction_session_timeout for this role.",
  "25006": "It accepts no writes: point Qluster at the primary, not at a replica.",
  "40P01": "Try again.",
  "40001": "Try again.",
};

/** The login was refused, or there is no such database: trying again does not help. */
export function isLoginFault(error: unknown): boolean {
  const code = codeOf(error) ?? "";
  return (
    code === "28P01" ||
    code === "28000" ||
    code === "3D000" ||
    /client password must be a string/.test(messageOf(error))
  );
}

const tlsCodes = /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH)/;

export function isTlsFault(error: unknown): boolean {
  return tlsCodes.test(codeOf(error) ?? "") || /does not support SSL|no encryption|SSL off/i.test(messageOf(error));
}

export function isMissingPrivilege(error: unknown): boolean {
  return codeOf(error) === "42501";
}

/** A table, function, column or schema of ours does not exist. */
export function isMissingTable(error: unknown): boolean {
  return ["42P01", "42883", "42703", "3F000"].includes(codeOf(error) ?? "");
}

/** A text holds what no text of Postgres can hold. */
export function isUnstorable(error: unknown): boolean {
  return ["22021", "22P05"].includes(codeOf(error) ?? "");
}

/** Raised by our own functions: the consumer's row is gone. */
export const leaseLostCode = "QL001";
