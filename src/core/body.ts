import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { SecretKeys } from "./keyring.js";

/*
 * The body of an envelope: JSON as it is, or letters that say what was done to it (z: deflated, e: encrypted), a dot,
 * and base64url. No JSON text starts with `z` or `e`.
 */

const ivBytes = 12;
const tagBytes = 16;
const packedMarks = /^(?:e|z|ez)\./;
/** Shorter texts are not worth the try: base64 takes back a third of what deflating saves. */
const worthDeflating = 128;
/** As in Django: below this many bytes saved, the text stays readable. */
const worthSaving = 2;

/** @param binding - Text that no other body of these keys shares: it makes the nonce unique. */
export function packBody(
  json: string,
  keys: SecretKeys,
  binding: string,
  options: { readonly compress: boolean; readonly encrypt: boolean },
): string {
  const deflated = options.compress ? deflate(json) : undefined;
  if (options.encrypt) {
    const sealed = encrypt(keys, binding, deflated ?? Buffer.from(json));
    return `${deflated === undefined ? "e" : "ez"}.${sealed.toString("base64url")}`;
  }
  const text = deflated === undefined ? json : `z.${deflated.toString("base64url")}`;
  return text.length <= json.length - worthSaving ? text : json;
}

function deflate(json: string): Buffer | undefined {
  if (json.length < worthDeflating) return undefined;
  const deflated = deflateRawSync(json);
  return deflated.length <= json.length - worthSaving ? deflated : undefined;
}

/** The JSON again. Throws what the libraries throw. @param maxBytes - Where inflating stops. */
export function unpackBody(body: string, keys: SecretKeys, maxBytes: number): string {
  const marks = packedMarks.exec(body)?.[0];
  if (marks === undefined) return body;
  let bytes: Buffer = Buffer.from(body.slice(marks.length), "base64url");
  if (marks.includes("e")) bytes = decrypt(keys, bytes);
  if (marks.includes("z")) bytes = inflateRawSync(bytes, { maxOutputLength: maxBytes });
  return bytes.toString("utf8");
}

function encrypt(keys: SecretKeys, binding: string, plain: Buffer): Buffer {
  // Made from what it protects (as in AES-SIV): it repeats only where the whole message repeats.
  const iv = createHmac("sha256", keys.nonce).update(`${binding}\n`).update(plain).digest().subarray(0, ivBytes);
  const cipher = createCipheriv("aes-256-gcm", keys.encrypt, iv);
  return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(keys: SecretKeys, sealed: Buffer): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", keys.encrypt, sealed.subarray(0, ivBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  return Buffer.concat([decipher.update(sealed.subarray(ivBytes, -tagBytes)), decipher.final()]);
}
