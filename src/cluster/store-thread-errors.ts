import * as errors from "../errors.js";

/** An error as it crosses the boundary of a thread: structured cloning drops classes and codes. */
export interface PlainError {
  readonly className: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause: PlainError | undefined;
}

export function plainError(thrown: unknown): PlainError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const fields = Object.fromEntries(Object.entries(error).filter(([, value]) => isPlain(value)));
  return {
    className: error.constructor.name,
    message: error.message,
    stack: error.stack,
    fields,
    cause: error.cause === undefined ? undefined : plainError(error.cause),
  };
}

/** The same error again: `instanceof` and `code` work on this side too. */
export function reviveError(plain: PlainError): Error {
  const known = (errors as Readonly<Record<string, unknown>>)[plain.className];
  const prototype = typeof known === "function" ? (known.prototype as object) : Error.prototype;
  const error = Object.create(prototype) as Error;
  const cause = plain.cause === undefined ? {} : { cause: reviveError(plain.cause) };
  const own = { ...plain.fields, message: plain.message, stack: plain.stack, ...cause };
  for (const [key, value] of Object.entries(own)) {
    Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: key in plain.fields });
  }
  return error;
}

function isPlain(value: unknown): boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}
