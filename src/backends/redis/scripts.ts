import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** The scripts in `lua/` that are called by name. The others are parts of these. */
export type ScriptName =
  | "probe"
  | "submit"
  | "take"
  | "settle"
  | "lease"
  | "resync"
  | "cancel"
  | "save"
  | "read"
  | "details"
  | "group"
  | "queue"
  | "clusters"
  | "numbers"
  | "names"
  | "clean"
  | "listen"
  | "schedules"
  | "runs"
  | "flows"
  | "begin"
  | "outbox"
  | "cache";

/** A script with everything it needs, and the name the server gives it. */
export interface Script {
  readonly name: ScriptName;
  readonly text: string;
  readonly sha: string;
}

const loaded = new Map<ScriptName, Script>();

/** Reads a script once. Lines like `--@ messages` at its top name the parts that go before it. */
export function script(name: ScriptName): Script {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const text = assembled(name);
  const read = { name, text, sha: createHash("sha1").update(text).digest("hex") };
  loaded.set(name, read);
  return read;
}

function assembled(name: string): string {
  const own = source(name);
  const parts = [...own.matchAll(/^--@ (\w+)$/gm)].map(([, part = ""]) => source(part));
  // Comments cost the server a little with each load, and hold nothing for it.
  return [...parts, own].join("\n").replaceAll(/^\s*--.*\n/gm, "");
}

function source(name: string): string {
  return readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), "utf8");
}
