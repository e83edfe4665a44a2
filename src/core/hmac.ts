import { createHmac, hash } from "node:crypto";

/** A key of HMAC-SHA256, prepared: the padded keys of RFC 2104. */
export interface HmacKey {
  readonly raw: Buffer;
  readonly inner: Buffer;
  readonly outer: Buffer;
}

const block = 64;
const scratch = Buffer.alloc(16 * 1024);
const outerInput = Buffer.alloc(block + 32);

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
 */
export function hmac(key: HmacKey, prefix: Buffer, text: string): string {
  const start = block + prefix.length;
  // A character takes at most three bytes.
  if (start + text.length * 3 > scratch.length) {
    return createHmac("sha256", key.raw).update(prefix).update(text).digest("base64url");
  }
  scratch.set(key.inner, 0);
  scratch.set(prefix, block);
  const end = start + scratch.write(text, start);
  outerInput.set(key.outer, 0);
  outerInput.write(hash("sha256", scratch.subarray(0, end), "binary"), block, "binary");
  return hash("sha256", outerInput, "base64url");
}
