import type { TestProject } from "vitest/node";
import { startRedis } from "./redis.js";

declare module "vitest" {
  interface ProvidedContext {
    /** A server that the whole run shares: each test has a database of its own. Absent in projects on other databases. */
    redisUrl: string | undefined;
  }
}

/** Starts a server for one run of a project. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startRedis({ flags: ["--databases", "10000"] });
  project.provide("redisUrl", server.url);
  return server.stop;
}
