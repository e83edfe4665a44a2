import { rmSync } from "node:fs";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConfigError } from "../../src/errors.js";
import { newTask, runTask } from "../../src/testing/tasks.js";
import { makeCertificate, type Certificate } from "../support/certificate.js";
import { emptyPlace, openAt } from "../support/postgres.js";
import { giveToPostgres, startPostgres, type PostgresServer } from "../support/postgres-server.js";

let server: PostgresServer;
let own: Certificate;
let foreign: Certificate;

beforeAll(async () => {
  [own, foreign] = [makeCertificate(), makeCertificate()];
  giveToPostgres(own.folder, own.certificate, own.key);
  server = await startPostgres({
    settings: ["ssl=on", `ssl_cert_file=${own.certificate}`, `ssl_key_file=${own.key}`],
  });
});
afterAll(() => {
  server.remove();
  for (const { folder } of [own, foreign]) rmSync(folder, { recursive: true, force: true });
});

function place(parameters: Readonly<Record<string, string>>, host = "127.0.0.1"): URL {
  const url = emptyPlace(parameters, server.url);
  url.hostname = host;
  return url;
}

describe("an encrypted connection to Postgres", () => {
  it.each([
    ["require", () => place({ sslmode: "require" })],
    ["verify-ca", () => place({ sslmode: "verify-ca", sslrootcert: own.certificate })],
    ["verify-full", () => place({ sslmode: "verify-full", sslrootcert: own.certificate })],
    ["verify-full by name", () => place({ sslmode: "verify-full", sslrootcert: own.certificate }, "localhost")],
  ])("carries a task to its result, and nothing in clear text, with sslmode %s", async (_, at) => {
    const url = at();
    url.searchParams.set("application_name", "encrypted");
    await using backend = await openAt(url);
    const task = newTask("t");

    await runTask(backend, task);

    expect(await backend.store.finished([task.id])).toMatchObject([{ state: "succeeded" }]);
    const connections = await connectionsOf("encrypted");
    expect(connections.length).toBeGreaterThan(0);
    expect(connections.filter(({ ssl }) => !ssl)).toEqual([]);
  });

  it.each([
    ["that nobody vouches for", () => place({ sslmode: "verify-full" })],
    ["that another authority signed", () => place({ sslmode: "verify-ca", sslrootcert: foreign.certificate })],
  ])("is refused with a certificate %s, with the next step", async (_, at) => {
    const opening = openAt(at()).then((backend) => backend[Symbol.asyncDispose]());

    await expect(opening).rejects.toThrow(ConfigError);
    await expect(opening).rejects.toThrow(/do not agree on encryption.*sslmode/s);
  });
});

async function connectionsOf(application: string): Promise<{ readonly ssl: boolean }[]> {
  const client = new Client({ connectionString: server.url });
  await client.connect();
  const { rows } = await client.query<{ ssl: boolean }>(
    "SELECT s.ssl FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid) WHERE a.application_name LIKE $1",
    [`${application}%`],
  );
  await client.end();
  return rows;
}
