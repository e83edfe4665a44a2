import { createHmac, hash } from "node:crypto";

/** A key of HMAC-SHA256, prepared: the padded keys of RFC 2104. */
export interface HmacKey {
  readonly raw: Buffer;
  readonly inner: Buffer;
  readonly outer: Buffer;
}

const block = 64;
const innerInput = Buffer.alloc(16 * 1024);
const outerInput = Buffer.alloc(block + 32);
const innerDigest = outerInput.subarray(block);
/** What stands at the start of both: message after message has the same. */
let prepared: Prepared | undefined;

interface Prepared {
  readonly key: HmacKey;
  readonly prefix: Buffer;
  /** The room after both. */
  readonly room: Buffer;
}

/** @param raw - At most 64 bytes. */
export function hmacKey(raw: Buffer): HmacKey {
  const padded = Buffer.alloc(block);
  raw.copy(padded);
  return {
    raw,
    inner: padded.map((byte) => byte ^ 0x36) as Buffer,
    outer: padded.map((byte) => byte ^ 0x5c) as Buffer,
  };
}

/**
 * HMAC-SHA256 of `prefix` and `text`, one after the other, in base64url. What `createHmac` gives, in half the time: for
 * a short text creating its stream object costs more than hashing, and `hash` makes none.
 *
 * @param prefix - Is not changed afterwards: it may be remembered.
 */
export function hmac(key: HmacKey, prefix: Buffer, text: string): string {
  // A character takes at most three bytes.
  if (block + prefix.length + text.length * 3 > innerInput.length) {
    return createHmac("sha256", key.raw).update(prefix).update(text).digest("base64url");
  }
  const { room } = prepared?.key === key && prepared.prefix === prefix ? prepared : prepare(key, prefix);
  const end = block + prefix.length + room.write(text);
  innerDigest.write(hash("sha256", new Uint8Array(innerInput.buffer, innerInput.byteOffset, end), "binary"), "binary");
  return hash("sha256", outerInput, "base64url");
}

function prepare(key: HmacKey, prefix: Buffer): Prepared {
  innerInput.set(key.inner, 0);
  innerInput.set(prefix, block);
  outerInput.set(key.outer, 0);
  prepared = { key, prefix, room: innerInput.subarray(block + prefix.length) };
  return prepared;
}
