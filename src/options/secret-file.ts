import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ConfigError } from "../errors.js";

const processKey = Symbol.for("qluster.memory-secret.1");
const globals = globalThis as typeof globalThis & { [processKey]?: string };

/** The secret of databases in memory, which no other process reads: new in each process. */
export function processSecret(): string {
  return (globals[processKey] ??= newSecret());
}

/**
 * A secret that is made once, and then always the one in `.qluster/secret` of that folder.
 *
 * Processes that start at the same moment agree: the file appears complete, by a link, and whoever comes second reads it.
 *
 * @throws {ConfigError} when it cannot be read or written.
 */
export function keptSecret(folder: string): string {
  const file = join(folder, ".qluster", "secret");
  try {
    return read(file) ?? make(file);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError([
      `secret: the file ${file}, which signs what is queued, cannot be used (${reason}). ` +
        "Let this user read and write it, or give one with QLUSTER_SECRET.",
    ]);
  }
}

function read(file: string): string | undefined {
  const text = readIfThere(file)?.trim();
  if (text === "") {
    throw new ConfigError([
      `secret: the file ${file} is empty. Put its old content back, or delete it for a new secret.`,
    ]);
  }
  return text;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function make(file: string): string {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const secret = `${newSecret()}\n`;
  const draft = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  writeFileSync(draft, secret, { mode: 0o600, flag: "wx" });
  try {
    linkSync(draft, file);
  } catch (error) {
    // Some file systems know no links. There a reader may meet the file half written, within microseconds of the first start.
    if (codeOf(error) !== "EEXIST") writeFileSync(file, secret, { mode: 0o600, flag: "wx" });
  } finally {
    unlinkSync(draft);
  }
  return read(file) ?? make(file);
}

function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
