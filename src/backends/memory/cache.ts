import type { Cache } from "../../contracts/cache.js";
import type { Clock } from "../../contracts/clock.js";
import type { CacheRecord, MemberSet, ProjectState } from "./state.js";

export function memoryCache(state: ProjectState, clock: Clock): Cache {
  const until = (ttlMs: number | null): number => (ttlMs === null ? Infinity : clock.now() + ttlMs);
  const entry = (key: string): CacheRecord | undefined => live(state.entries, key, clock.now());
  const set = (key: string): MemberSet | undefined => live(state.sets, key, clock.now());
  const write = (key: string, value: string, ttlMs: number | null): void => {
    state.entries.set(key, { value, version: String(++state.sequence), until: until(ttlMs) });
  };

  return {
    capabilities: { shared: false },
    async get(key) {
      const found = entry(key);
      return found && { value: found.value, version: found.version };
    },
    set: async (key, value, ttlMs) => write(key, value, ttlMs),
    async setIf(key, expected, value, ttlMs) {
      if ((entry(key)?.version ?? null) !== expected) return false;
      write(key, value, ttlMs);
      return true;
    },
    async delete(key) {
      const existed = entry(key) !== undefined || set(key) !== undefined;
      state.entries.delete(key);
      state.sets.delete(key);
      return existed;
    },
    async addMembers(key, members, ttlMs) {
      const before = set(key);
      const all = new Set([...(before?.members ?? []), ...members]);
      state.sets.set(key, { members: all, until: Math.max(before?.until ?? 0, until(ttlMs)) });
      return all.size;
    },
    members: async (key) => [...(set(key)?.members ?? [])],
  };
}

/** What has not expired; what has is removed on the way. */
function live<T extends { readonly until: number }>(all: Map<string, T>, key: string, now: number): T | undefined {
  const found = all.get(key);
  if (found === undefined || found.until > now) return found;
  all.delete(key);
  return undefined;
}
