import { isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { nearest } from "../core/names.js";
import { quote } from "../core/quote.js";
import { redisSchemes } from "../core/redis-url.js";
import { maskPassword } from "./mask-password.js";
import { isRecord } from "./nested.js";
import { readPostgresObject, readPostgresUrl, showPostgresObject } from "./postgres-address.js";
import { readOwnBackend, showOwnBackend } from "./own-backend.js";
import { readRedisObject, readRedisUrl, showRedisObject } from "./redis-address.js";
import type { Problems } from "./problems.js";
import type { DatabaseAddress } from "./resolved.js";

/** What `database` may begin with in this version, and what is planned. */
const schemes: readonly string[] = ["sqlite", "postgres", "postgresql", ...redisSchemes, "memory"];
const planned = ["mysql", "mariadb", "mongodb", "mongodb+srv", "sqs", "ironmq"];

const example = '"sqlite:data/qluster.db"';
const works =
  `What works: ${example} (a file), "postgres://user:password@host/db", "redis://user:password@host:6379/0" and ` +
  '"memory:" (one process, for tests).';

/** What an object may name its database by, and how it is read. */
const objectForms: Readonly<Record<string, ObjectForm>> = {
  postgres: { read: readPostgresObject, show: showPostgresObject },
  redis: { read: readRedisObject, show: showRedisObject },
  backend: { read: readOwnBackend, show: showOwnBackend },
};

interface ObjectForm {
  readonly read: (
    value: Readonly<Record<string, unknown>>,
    path: string,
    problems: Problems,
  ) => DatabaseAddress | undefined;
  readonly show: (address: DatabaseAddress) => string;
}

/**
 * Takes an address, or an object with a client, apart.
 *
 * @param root - Where relative paths start.
 */
export function readDatabase(
  value: unknown,
  path: string,
  root: string,
  problems: Problems,
): DatabaseAddress | undefined {
  if (value === undefined || (typeof value === "string" && value.trim() === "")) {
    problems.add(emptyText(value, path));
    return undefined;
  }
  if (isRecord(value)) return readObject(value, path, problems);
  if (typeof value !== "string") {
    problems.wrong(path, value, `a text such as ${example}`);
    return undefined;
  }
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+.-]+):(.*)$/is.exec(value) ?? [];
  return readScheme(scheme.toLowerCase(), rest, { value, path, root }, problems);
}

/** Never quotes the object: it may hold a password. */
function readObject(
  value: Readonly<Record<string, unknown>>,
  path: string,
  problems: Problems,
): DatabaseAddress | undefined {
  const form = Object.keys(value).find((key) => Object.hasOwn(objectForms, key));
  const read = form === undefined ? undefined : objectForms[form]?.read;
  if (read !== undefined) return read(value, path, problems);
  const keys = Object.keys(objectForms).map((key) => `{ ${key}: … }`);
  problems.add(
    `${path}: it is an object that names no database; expected ${keys.join(" or ")} or a text such as ${example}.`,
  );
  return undefined;
}

interface Written {
  readonly value: string;
  readonly path: string;
  readonly root: string;
}

function readScheme(scheme: string, rest: string, written: Written, problems: Problems): DatabaseAddress | undefined {
  const { value, path } = written;
  if (scheme === "memory") return { scheme, location: rest.replace(/^\/\//, "") };
  if (scheme === "sqlite") return readFile(rest, written, problems);
  if (scheme === "postgres" || scheme === "postgresql") return readPostgresUrl(rest, written, problems);
  if (redisSchemes.includes(scheme)) return readRedisUrl(written, problems);
  const shown = quote(maskPassword(value));
  if (planned.includes(scheme)) {
    problems.add(`${path}: ${shown} names ${scheme}, which this version of Qluster cannot use yet. ${works}`);
  } else if (scheme === "") {
    problems.add(
      `${path}: ${shown} does not say which database it is. For an SQLite file write "sqlite:${value}". ${works}`,
    );
  } else {
    const near = nearest(scheme, [...schemes, ...planned]);
    const guess = near === undefined ? "" : `Did you mean "${near}:"? `;
    problems.add(
      `${path}: ${shown} begins with "${scheme}:", which is no database that Qluster knows. ${guess}${works}`,
    );
  }
  return undefined;
}

function readFile(rest: string, { value, path, root }: Written, problems: Problems): DatabaseAddress | undefined {
  const file = rest.startsWith("///") ? fileURLToPath(`file:${rest}`) : rest.replace(/^\/\/(?!\/)/, "");
  if (file.trim() === "" || file === ":memory:") {
    const advice = file === ":memory:" ? 'A database in memory is one process only; for tests write "memory:".' : "";
    problems.wrong(path, value, `the path of a file, such as ${example}`, advice);
    return undefined;
  }
  return { scheme: "sqlite", location: isAbsolute(file) ? file : resolve(root, file) };
}

function emptyText(value: unknown, path: string): string {
  const state = value === undefined ? "is not set" : "is empty";
  if (/(broker|cache)$/i.test(path)) {
    return `${path} ${state}. Name what takes this role, for example ${example}, or leave it out: then the database does.`;
  }
  return (
    `${path} ${state}. Say where tasks are kept, for example database: ${example}, or set QLUSTER_DATABASE. ` +
    "Qluster never chooses a database by itself."
  );
}

/** An address as it may be printed: without passwords. */
export function showDatabase(address: DatabaseAddress): string {
  const { scheme, location, client } = address;
  const form = client === undefined ? undefined : objectForms[scheme];
  if (form !== undefined) return form.show(address);
  return maskPassword(scheme === "redis" ? location : `${scheme}:${location}`);
}
