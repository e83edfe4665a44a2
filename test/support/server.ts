import { inject, onTestFinished } from "vitest";
import { emptyPlace } from "./postgres.js";
import { emptyRedis, startRedis } from "./redis.js";

/** An empty place on the server that the run of this project has started; none in projects on a file. */
export function emptyServer(): string | undefined {
  const redis = inject("redisUrl");
  if (redis !== undefined) return emptyRedis(redis);
  return inject("postgresUrl") === undefined ? undefined : emptyPlace().href;
}

/** For a test that holds up a whole Redis: a server which no other file of the run is on. Elsewhere a place will do. */
export async function ownDatabase(): Promise<{ readonly database?: string }> {
  if (inject("redisUrl") === undefined) return {};
  const server = await startRedis();
  onTestFinished(server.stop);
  return { database: server.url };
}
