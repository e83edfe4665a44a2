import { hkdfSync } from "node:crypto";
import { ConfigError } from "../errors.js";
import { hmacKey } from "./hmac.js";
import type { HmacKey } from "./hmac.js";

/** What a signature stands for: one of a task is worth nothing under a result, or in another queue. */
export type Purpose = "task" | "result" | "schedule";

/** What messages of a project are sealed and opened with. */
export interface Keyring {
  readonly project: string;
  /** The first one seals, all of them open: put a new one first, and drop the old one when its messages are gone. */
  readonly secrets: readonly string[];
  /** One set for each secret, in the same order. */
  readonly keys: readonly SecretKeys[];
  /** What else is under a signature: prepared texts, by queue and purpose. */
  readonly contexts: Map<string, Readonly<Partial<Record<Purpose, Buffer>>>>;
}

/** The keys made from one secret: one for each purpose, so that none says anything about another. */
export interface SecretKeys {
  readonly sign: HmacKey;
  readonly nonce: Buffer;
  readonly encrypt: Buffer;
}

/** Prepares the keys of a project, once. @param secrets - At least one; none may be empty. */
export function keyring(project: string, secrets: readonly string[]): Keyring {
  if (secrets.length === 0 || secrets.some((secret) => secret === "")) {
    throw new ConfigError(["`secret` is empty. Set it to a long random text, for example with QLUSTER_SECRET."]);
  }
  return { project, secrets, keys: secrets.map(keysOf), contexts: new Map() };
}

function keysOf(secret: string): SecretKeys {
  return {
    sign: hmacKey(derive(secret, "sign")),
    nonce: derive(secret, "nonce"),
    encrypt: derive(secret, "encrypt"),
  };
}

function derive(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "", `qluster ${purpose} 1`, 32));
}
