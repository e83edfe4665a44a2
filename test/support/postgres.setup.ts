import type { TestProject } from "vitest/node";
import { startPostgres } from "./postgres-server.js";

declare module "vitest" {
  interface ProvidedContext {
    /** A server that the whole run shares: each test has a schema of its own. Absent in projects on SQLite. */
    postgresUrl: string | undefined;
  }
}

/** Starts a server for one run of a project. `QLUSTER_TEST_POSTGRES_URL` names one that is there already. */
export default async function setup(project: TestProject): Promise<() => void> {
  const given = process.env["QLUSTER_TEST_POSTGRES_URL"];
  if (given !== undefined && given !== "") {
    project.provide("postgresUrl", given);
    return () => {};
  }
  const server = await startPostgres();
  project.provide("postgresUrl", server.url);
  return server.remove;
}
