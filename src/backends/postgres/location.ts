import { readFileSync } from "node:fs";
import type { PoolConfig } from "pg";
import { ConfigError } from "../../errors.js";

/** What the part of an address behind `postgres:` says. */
export interface Location {
  readonly schema: string;
  /** `auto`: by notifications, unless a proxy that pools transactions is found. */
  readonly listen: "auto" | "on" | "off";
  readonly pool: PoolConfig;
}

/** Reads a checked address. @throws {ConfigError} when a certificate cannot be read. */
export function readLocation(location: string): Location {
  const url = new URL(`postgres:${location}`);
  const parameter = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  const listen = parameter("listen");
  return {
    schema: parameter("schema") ?? "qluster",
    listen: listen === "on" || listen === "off" ? listen : "auto",
    pool: given({
      host: parameter("host") ?? (url.hostname === "" ? undefined : url.hostname.replace(/^\[|\]$/g, "")),
      port: url.port === "" ? undefined : Number(url.port),
      user: url.username === "" ? undefined : decodeURIComponent(url.username),
      password: url.password === "" ? undefined : decodeURIComponent(url.password),
      database: url.pathname.length > 1 ? decodeURIComponent(url.pathname.slice(1)) : undefined,
      ssl: tls(parameter),
      application_name: parameter("application_name"),
      connectionTimeoutMillis: seconds(parameter("connect_timeout")),
      max: parameter("max") === undefined ? undefined : Number(parameter("max")),
    }),
  };
}

function given(options: { readonly [K in keyof PoolConfig]: PoolConfig[K] | undefined }): PoolConfig {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function seconds(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text) * 1_000;
}

/** As `libpq` reads the same words. */
function tls(parameter: (name: string) => string | undefined): PoolConfig["ssl"] | undefined {
  const mode = parameter("sslmode");
  if (mode === undefined || mode === "disable") return mode === undefined ? undefined : false;
  const rootCertificate = parameter("sslrootcert");
  return {
    ...(rootCertificate === undefined || rootCertificate === "system"
      ? {}
      : { ca: fileOf("sslrootcert", rootCertificate) }),
    ...certificate("cert", "sslcert", parameter),
    ...certificate("key", "sslkey", parameter),
    rejectUnauthorized: mode === "verify-ca" || mode === "verify-full",
    ...(mode === "verify-ca" ? { checkServerIdentity: () => undefined } : {}),
  };
}

function certificate(option: string, name: string, parameter: (name: string) => string | undefined): object {
  const file = parameter(name);
  return file === undefined ? {} : { [option]: fileOf(name, file) };
}

function fileOf(name: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError([`database: the file of ${name} cannot be read (${reason}). Give the path of a PEM file.`]);
  }
}
