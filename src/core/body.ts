import { createCipheriv, createDecipheriv } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { hmac } from "./hmac.js";
import type { SecretKeys } from "./keyring.js";

/*
 * The body of an envelope: JSON as it is, or letters that say what was done to it (z: deflated, e: encrypted), a dot,
 * and base64url. No JSON text starts with `z` or `e`.
 */

const ivBytes = 12;
const tagBytes = 16;
/** Shorter texts are not worth the try: base64 takes back a third of what deflating saves. */
const worthDeflating = 128;

/** @param binding - Text that no other body of these keys shares: it makes the nonce unique. */
export function packBody(
  json: string,
  keys: SecretKeys,
  binding: string,
  options: { readonly compress: boolean; readonly encrypt: boolean },
): string {
  const deflated = options.compress && json.length >= worthDeflating ? deflateRawSync(json) : undefined;
  if (options.encrypt) {
    const smaller = deflated !== undefined && deflated.length < Buffer.byteLength(json);
    const sealed = encrypt(keys, binding, smaller ? deflated : Buffer.from(json), json);
    return `${smaller ? "ez" : "e"}.${sealed.toString("base64url")}`;
  }
  const packed = deflated === undefined ? json : `z.${deflated.toString("base64url")}`;
  return packed.length < json.length ? packed : json;
}

/** The JSON again. Throws what the libraries throw. @param maxBytes - Where inflating stops. */
export function unpackBody(body: string, keys: SecretKeys, maxBytes: number): string {
  const marks = /^(e?z?)\.(.*)$/.exec(body);
  if (marks === null || marks[1] === "") return body;
  let bytes: Buffer = Buffer.from(marks[2] ?? "", "base64url");
  if (body.startsWith("e")) bytes = decrypt(keys, bytes);
  if (marks[1]?.endsWith("z")) bytes = inflateRawSync(bytes, { maxOutputLength: maxBytes });
  return bytes.toString("utf8");
}

function encrypt(keys: SecretKeys, binding: string, plain: Buffer, json: string): Buffer {
  // Made from what it protects (as in AES-SIV): it repeats only where the whole message repeats.
  const iv = Buffer.from(hmac(keys.nonce, Buffer.from(`${binding}\n`), json, "hex"), "hex").subarray(0, ivBytes);
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
