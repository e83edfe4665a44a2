import { inject } from "vitest";
import { emptyPlace } from "./postgres.js";
import { emptyRedis } from "./redis.js";

/** An empty place on the server that the run of this project has started; none in projects on a file. */
export function emptyServer(): string | undefined {
  const redis = inject("redisUrl");
  if (redis !== undefined) return emptyRedis(redis);
  return inject("postgresUrl") === undefined ? undefined : emptyPlace().href;
}
