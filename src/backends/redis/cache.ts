import { randomBytes } from "node:crypto";
import type { Cache } from "../../contracts/cache.js";
import type { RedisProject } from "./project.js";

/** Short-lived text, with the server's own expiry behind it. */
export function redisCache(project: RedisProject): Cache {
  return {
    capabilities: { shared: true },
    async get(key) {
      const found = await project.run<[string, string] | null>("cache", ["get", key]);
      return found === null ? undefined : { version: found[0], value: found[1] };
    },
    async set(key, value, ttlMs) {
      await project.run("cache", ["set", key, value, newVersion(), ttlMs ?? ""]);
    },
    async setIf(key, expected, value, ttlMs) {
      const values = ["setIf", key, value, newVersion(), ttlMs ?? "", expected ?? ""];
      return (await project.run<number>("cache", values)) === 1;
    },
    delete: async (key) => (await project.run<number>("cache", ["delete", key])) === 1,
    addMembers: (key, members, ttlMs) => project.run<number>("cache", ["add", key, ttlMs ?? "", ...members]),
    members: (key) => project.run<string[]>("cache", ["members", key]),
  };
}

/** Random, so that it never comes back, also after a delete. */
function newVersion(): string {
  return randomBytes(9).toString("base64url");
}
