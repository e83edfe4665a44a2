import { createHash, randomBytes } from "node:crypto";
import { Client } from "pg";
import { inject, onTestFinished } from "vitest";
import { openBackend } from "../../src/backends/postgres/index.js";
import type { Backend, BackendOptions } from "../../src/contracts/backend.js";
import type { Clock } from "../../src/contracts/clock.js";

/** The address of an empty schema on the run's server. */
export function emptyPlace(parameters: Readonly<Record<string, string>> = {}, server: string = serverUrl()): URL {
  const url = new URL(server);
  url.searchParams.set("schema", `test_${randomBytes(8).toString("hex")}`);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url;
}

/** The schema that stands for a place of the conformance suites. */
export function schemaFor(place: string): string {
  return `test_${createHash("sha256").update(place).digest("hex").slice(0, 24)}`;
}

/** The address of the run's server. */
function serverUrl(): string {
  const url = inject("postgresUrl");
  if (url === undefined) throw new Error("This project of the tests starts no Postgres; see vitest.config.ts.");
  return url;
}

export function schemaOf(url: URL): string {
  return url.searchParams.get("schema") ?? "qluster";
}

/** What the backend calls a location. */
export function locationOf(url: URL): string {
  return url.href.slice(url.protocol.length);
}

/** A backend at the address. It is the caller's to close. */
export async function openAt(url: URL, options: Partial<BackendOptions> = {}, clock?: Clock): Promise<Backend> {
  const defaults = { project: "shop", durability: "process", migrate: true, blockMs: 20, retryMs: 5_000 } as const;
  return await openBackend({ ...defaults, location: locationOf(url), ...options }, clock);
}

/** A plain connection, as another program would have it. Closes when the test ends. */
export async function connectTo(url: URL): Promise<Client> {
  const plain = new URL(url);
  plain.search = "";
  const client = new Client({ connectionString: plain.href });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}
