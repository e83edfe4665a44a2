import { nearest } from "../core/names.js";
import { quote } from "../core/quote.js";
import { maskPassword } from "./mask-password.js";
import { isRecord } from "./nested.js";
import type { Problems } from "./problems.js";
import type { DatabaseAddress } from "./resolved.js";

const example = '"postgres://user:password@host:5432/db"';
const defaultSchema = "qluster";

/** What may stand behind the question mark. All but the first two go to the driver. */
const parameters = [
  "schema",
  "listen",
  "sslmode",
  "sslrootcert",
  "sslcert",
  "sslkey",
  "application_name",
  "connect_timeout",
  "host",
  "max",
] as const;
const sslModes = ["disable", "require", "verify-ca", "verify-full", "no-verify"];

/**
 * Takes `postgres://user:password@host:port/db?schema=…` apart.
 *
 * @param rest - What follows `postgres:`.
 */
export function readPostgresUrl(
  rest: string,
  written: { readonly value: string; readonly path: string },
  problems: Problems,
): DatabaseAddress | undefined {
  const fault = (text: string): undefined => {
    problems.add(`${written.path}: ${quote(maskPassword(written.value))} ${text}`);
  };
  if (!rest.startsWith("//")) return fault(`has no "//" after "postgres:". Write it as ${example}.`);
  const url = parsed(`postgres:${rest}`);
  if (url === undefined) return fault(unreadable(rest));
  if (url.hostname === "" && !url.searchParams.has("host")) {
    return fault(`names no host. Write it as ${example}, or add ?host=/path for a Unix socket.`);
  }
  if (url.hash !== "") return fault('has a "#", which ends an address: write %23 for one in a password.');
  for (const [name, value] of url.searchParams) {
    const wrong = parameterFault(name, value);
    if (wrong !== undefined) return fault(wrong);
  }
  return { scheme: "postgres", location: rest };
}

function parsed(text: string): URL | undefined {
  try {
    const url = new URL(text);
    for (const part of [url.username, url.password, url.pathname]) decodeURIComponent(part);
    return url;
  } catch {
    return undefined;
  }
}

function unreadable(rest: string): string {
  const authority = rest.slice(2).split(/[/?#]/, 1)[0] ?? "";
  const port = /:([^:\]]*)$/.exec(authority.slice(authority.lastIndexOf("@") + 1))?.[1];
  // Without an @, what looks like a port may be the beginning of a password.
  const isPassword = !authority.includes("@") && rest.includes("@");
  if (!isPassword && port !== undefined && !isPort(port)) {
    return `has the port ${quote(port)}; expected a number from 1 to 65535. Postgres listens on 5432 unless told otherwise.`;
  }
  return `cannot be read as an address. Write it as ${example}; in a user or password, write %40 for @, %2F for /, %25 for %.`;
}

function isPort(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) > 0 && Number(text) <= 65_535;
}

function parameterFault(name: string, value: string): string | undefined {
  if (!(parameters as readonly string[]).includes(name)) {
    const near = nearest(name, parameters);
    const guess = near === undefined ? "" : `Did you mean ${near}? `;
    return `has the parameter ${quote(name)}, which Qluster does not know. ${guess}Known are: ${parameters.join(", ")}.`;
  }
  if (name === "schema" && !isSchemaName(value)) return schemaFault(value);
  if (name === "listen" && !["auto", "on", "off"].includes(value)) {
    return `has listen=${value}; expected auto, on or off. Use off behind a proxy that pools transactions.`;
  }
  if (name === "sslmode" && !sslModes.includes(value)) {
    return `has sslmode=${value}; expected one of ${sslModes.join(", ")}.`;
  }
  if (name === "max" && !(/^\d+$/.test(value) && Number(value) >= 5)) {
    return `has max=${value}; expected a number of connections, at least 5.`;
  }
  if (name === "connect_timeout" && !/^\d+$/.test(value)) {
    return `has connect_timeout=${value}; expected a number of seconds.`;
  }
  return undefined;
}

/** Postgres cuts longer names without a word. The name also stands in the name of the notification channel. */
function isSchemaName(name: string): boolean {
  return /^[a-z_][a-z0-9_]{0,39}$/i.test(name) && !/^pg_/i.test(name);
}

function schemaFault(name: unknown): string {
  return (
    `has the schema ${quote(name)}; expected a name of at most 40 letters, digits and underscores ` +
    `that does not begin with a digit or "pg_", such as "${defaultSchema}".`
  );
}

/** Takes `{ postgres: <pool or options>, schema }` apart. */
export function readPostgresObject(
  value: Readonly<Record<string, unknown>>,
  path: string,
  problems: Problems,
): DatabaseAddress | undefined {
  const { postgres, schema = defaultSchema } = value;
  for (const key of Object.keys(value)) {
    if (key === "postgres" || key === "schema") continue;
    problems.add(`${path}: the key ${quote(key)} does not belong beside "postgres"; only schema does.`);
    return undefined;
  }
  if (typeof schema !== "string" || !isSchemaName(schema)) {
    problems.add(`${path}: it ${schemaFault(schema)}`);
    return undefined;
  }
  if (!isRecord(postgres)) {
    problems.wrong(`${path}.postgres`, postgres, "a Pool of the package pg, or options for one");
    return undefined;
  }
  if (isSingleClient(postgres)) {
    problems.add(
      `${path}.postgres: it is a single client; expected a Pool, as Qluster works over several connections. ` +
        "Give new Pool(…), or the options for one.",
    );
    return undefined;
  }
  return { scheme: "postgres", location: `//?schema=${schema}`, client: postgres };
}

/** A `pg.Client` has `connect` too, but no connections to lend. */
function isSingleClient(value: Readonly<Record<string, unknown>>): boolean {
  return typeof value["connect"] === "function" && ("connection" in value || "release" in value);
}

/** A pool or options as they may be printed. */
export function showPostgresObject({ location, client }: DatabaseAddress): string {
  const kind = typeof (client as { connect?: unknown }).connect === "function" ? "a pool" : "options for a pool";
  return `postgres: ${kind} (${location.replace("//?", "").replace("=", " ")})`;
}
