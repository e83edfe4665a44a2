import { dirname } from "node:path";
import { ConfigError } from "../errors.js";
import type { DatabaseAddress } from "./resolved.js";
import { keptSecret, processSecret } from "./secret-file.js";

/**
 * The secret when none is configured. Databases in memory and files have one of their own; what several machines share
 * needs one that all of them know.
 *
 * @throws {ConfigError} in production with a database server.
 */
export function defaultSecret(
  { scheme, location }: DatabaseAddress,
  around: { readonly root: string; readonly production: boolean },
): string {
  if (scheme === "memory") return processSecret();
  if (scheme === "sqlite") return keptSecret(dirname(location));
  if (!around.production) return keptSecret(around.root);
  throw new ConfigError([
    "secret: it is not given, and every process that shares the database needs the same one. Set QLUSTER_SECRET to a long " +
      "random text; `openssl rand -base64 32` prints one.",
  ]);
}
