import { timingSafeEqual } from "node:crypto";
import { hmac } from "./hmac.js";
import type { Keyring, Purpose, SecretKeys } from "./keyring.js";

/** SHA-256 in base64url. */
const signatureLength = 43;

/** The contexts of so many queues are kept; a name more, and they are made anew. */
const keptContexts = 1_000;

/** The signature of `content`, in base64url, by the secret that seals. */
export function sign(keyring: Keyring, purpose: Purpose, queue: string, content: string): string {
  return hmac(sealingKeys(keyring).sign, contextOf(keyring, purpose, queue), content);
}

/** The keys of the secret that made the signature, or `undefined` when none did. Takes the same time either way. */
export function verify(
  keyring: Keyring,
  purpose: Purpose,
  queue: string,
  content: string,
  signature: string,
): SecretKeys | undefined {
  // Characters that UTF-8 cannot hold would all be hashed as the same one.
  if (!isWellFormed(content)) return undefined;
  const context = contextOf(keyring, purpose, queue);
  let found: SecretKeys | undefined;
  for (const keys of keyring.keys) {
    if (isSame(signature, hmac(keys.sign, context, content))) found ??= keys;
  }
  return found;
}

const left = Buffer.alloc(signatureLength);
const right = Buffer.alloc(signatureLength);

/** In constant time, and without making buffers: this runs for every message. */
function isSame(given: string, expected: string): boolean {
  if (given.length !== signatureLength || left.write(given) !== signatureLength) return false;
  right.write(expected);
  return timingSafeEqual(left, right);
}

/** The keys of the secret that seals. */
export function sealingKeys(keyring: Keyring): SecretKeys {
  const [first] = keyring.keys;
  if (first === undefined) throw new RangeError("The keyring is empty; make it with keyring().");
  return first;
}

function contextOf(keyring: Keyring, purpose: Purpose, queue: string): Buffer {
  return keyring.contexts.get(queue)?.[purpose] ?? newContext(keyring, purpose, queue);
}

function newContext({ project, contexts }: Keyring, purpose: Purpose, queue: string): Buffer {
  // As JSON, so that no choice of names makes two contexts alike.
  const context = Buffer.from(`${JSON.stringify(["qluster", 1, purpose, project, queue])}\n`);
  if (contexts.size >= keptContexts) contexts.clear();
  contexts.set(queue, { ...contexts.get(queue), [purpose]: context });
  return context;
}

/** In the language since ES2024; every Node.js this package runs on has it. */
function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}
