import { EnvelopeError, PreviousError, TooLargeError } from "../errors.js";
import { detach, previousResult } from "./attached-results.js";
import { packBody, unpackBody } from "./body.js";
import { decode, encode } from "./codec.js";
import type { Keyring, SecretKeys } from "./keyring.js";
import { largestPart } from "./largest-part.js";
import { fillPrevious, previousTag } from "./previous.js";
import { sealingKeys, sign, verify } from "./signature.js";
import { readHeader } from "./task-header.js";
import type { TaskHeader } from "./task-header.js";

export interface SealOptions {
  /** Deflate where it saves room. */
  readonly compress: boolean;
  /** AES-256-GCM, with a key made from the secret. */
  readonly encrypt: boolean;
  /** The largest sealed text, and the largest JSON in it, in bytes. */
  readonly maxBytes: number;
}

export interface OpenedTask {
  readonly header: TaskHeader;
  readonly args: unknown[];
}

/**
 * A task as a message: three lines of text. The header as JSON; the arguments as JSON (readable in SQL when neither
 * compressed nor encrypted); the signature of both, of the project and of the queue.
 *
 * @throws {UnencodableError} with the path of an argument that cannot be carried.
 * @throws {TooLargeError} with both sizes and the largest part.
 * @throws {PreviousError} for `previous()` where no link is before.
 */
export function sealTask(
  keys: Keyring,
  queue: string,
  header: TaskHeader,
  args: readonly unknown[],
  options: SealOptions,
): string {
  const json = encode(args, "args");
  if (header.before === undefined && json.includes(previousTag)) throw new PreviousError(header.func);
  const headerLine = JSON.stringify(header);
  const content = `${headerLine}\n${packBody(json, sealingKeys(keys), headerLine, options)}`;
  const sealed = `${content}\n${sign(keys, "task", queue, content)}`;
  checkSize("message", args, json, sealed, options.maxBytes);
  return sealed;
}

/**
 * Header and arguments of a message, once its signature was checked.
 *
 * `previous()` among the arguments is what the results of the links before say, once they are attached.
 *
 * @param options.maxBytes - The largest JSON that inflating may make, in bytes.
 * @param options.maxResultBytes - The same of the result of a link before. Default: `maxBytes`.
 * @param header - What {@link readHeader} made of it, when that is known already.
 * @throws {EnvelopeError} `unreadable` (also when a codec is missing here), `signature`, or `newer`.
 */
export function openTask(
  keys: Keyring,
  queue: string,
  message: string,
  options: { readonly maxBytes: number; readonly maxResultBytes?: number },
  header: TaskHeader | undefined = readHeader(message),
): OpenedTask {
  if (header === undefined) throw new EnvelopeError("unreadable", "The message has no header that can be read.");
  if (header.v !== 1) throw newer(header);
  if (header.before !== undefined) return openLink(keys, queue, message, options, header);
  return openSealed(keys, queue, message, options.maxBytes, header);
}

function openLink(
  keys: Keyring,
  queue: string,
  message: string,
  { maxBytes, maxResultBytes = maxBytes }: { readonly maxBytes: number; readonly maxResultBytes?: number },
  header: TaskHeader,
): OpenedTask {
  const { sealed, attached } = detach(message);
  const { args } = openSealed(keys, queue, sealed, maxBytes, header);
  const { before } = header;
  if (before === undefined || attached === undefined) return { header, args };
  const result = previousResult(before, attached, (id, one) => openResult(keys, id, one, { maxBytes: maxResultBytes }));
  return { header, args: fillPrevious(args, result) as unknown[] };
}

function openSealed(keys: Keyring, queue: string, envelope: string, maxBytes: number, header: TaskHeader): OpenedTask {
  const what = `message ${header.id} (${header.func})`;
  const end = envelope.lastIndexOf("\n");
  const content = envelope.slice(0, end);
  const secret = verify(keys, "task", queue, content, envelope.slice(end + 1));
  if (secret === undefined) throw wrongSignature(what, keys, queue);
  const args = openBody(content.slice(content.indexOf("\n") + 1), secret, what, maxBytes);
  if (!Array.isArray(args)) throw new EnvelopeError("unreadable", `The arguments of ${what} are no list.`);
  return { header, args };
}

/**
 * A result as two lines of text: JSON, and the signature over it, the project and the task's id.
 *
 * @throws {UnencodableError} with a path that starts with `result`.
 * @throws {TooLargeError} with both sizes and the largest part.
 */
export function sealResult(keys: Keyring, id: string, value: unknown, options: SealOptions): string {
  const json = encode(value, "result");
  const body = packBody(json, sealingKeys(keys), id, options);
  const sealed = `${body}\n${sign(keys, "result", "", `${id}\n${body}`)}`;
  checkSize("result", value, json, sealed, options.maxBytes);
  return sealed;
}

/**
 * The value that {@link sealResult} was given.
 *
 * @throws {EnvelopeError} `unreadable` (also when a codec is missing here), or `signature`.
 */
export function openResult(keys: Keyring, id: string, sealed: string, options: { readonly maxBytes: number }): unknown {
  const what = `the result of ${id}`;
  const end = sealed.indexOf("\n");
  if (end === -1) throw new EnvelopeError("unreadable", `It has no signature: ${what}.`);
  const body = sealed.slice(0, end);
  const secret = verify(keys, "result", "", `${id}\n${body}`, sealed.slice(end + 1));
  if (secret === undefined) throw wrongSignature(what, keys, undefined);
  return openBody(body, secret, what, options.maxBytes);
}

function openBody(body: string, keys: SecretKeys, what: string, maxBytes: number): unknown {
  let json: string;
  try {
    json = unpackBody(body, keys, maxBytes);
  } catch (cause) {
    throw unpackingFailed(what, cause, maxBytes);
  }
  try {
    return decode(json);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new EnvelopeError("unreadable", `The values in ${what} cannot be restored. ${message}`, { cause });
  }
}

function unpackingFailed(what: string, cause: unknown, maxBytes: number): EnvelopeError {
  const tooLarge = cause instanceof Error && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE";
  const message = tooLarge
    ? `Inflating ${what} was stopped at ${maxBytes} bytes. Raise \`maxMessage\` or \`maxResult\` here, as where it was sealed.`
    : `The body of ${what} cannot be decrypted or inflated.`;
  return new EnvelopeError("unreadable", message, { cause });
}

function newer(header: TaskHeader): EnvelopeError {
  return new EnvelopeError(
    "newer",
    `The message ${header.id} (${header.func}) has version ${String(header.v)}; this code reads version 1. Update Qluster here.`,
  );
}

function wrongSignature(what: string, keys: Keyring, queue: string | undefined): EnvelopeError {
  const place = queue === undefined ? `project "${keys.project}"` : `project "${keys.project}" and queue "${queue}"`;
  return new EnvelopeError(
    "signature",
    `The signature of ${what} does not fit ${place}: it was sealed with another secret or under another name, or was ` +
      "changed. Check that `name` and `secret` are the same where tasks are enqueued and where they run.",
  );
}

function checkSize(what: "message" | "result", value: unknown, json: string, sealed: string, maxBytes: number): void {
  // A character takes at most three bytes: short texts need no counting.
  if (sealed.length * 3 <= maxBytes && json.length * 3 <= maxBytes) return;
  const bytes = Math.max(Buffer.byteLength(sealed), Buffer.byteLength(json));
  if (bytes > maxBytes) {
    throw new TooLargeError(what, bytes, maxBytes, largestPart(value, what === "message" ? "args" : "result"));
  }
}
