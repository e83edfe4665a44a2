/**
 * Keeps short-lived text: cached results and counters that may be lost.
 *
 * Keys are private to the project the backend was opened for. Every method may reject with `StoreUnavailableError`.
 * Counterpart in Django Q2: Django's cache framework (setting `cache`).
 */
export interface Cache {
  readonly capabilities: CacheCapabilities;

  /** The value and the version to hand back to {@link Cache.setIf}; `undefined` when absent or expired. */
  get(key: string): Promise<CacheEntry | undefined>;

  /** Writes `value`, whatever stood there. @param ttlMs - How long it is kept, in milliseconds; `null` for ever. */
  set(key: string, value: string, ttlMs: number | null): Promise<void>;

  /**
   * Writes only when nobody else has in between. `false` says that the entry was not as expected, and nothing changed.
   *
   * @param expected - The `version` read before; `null` when there was no entry.
   */
  setIf(key: string, expected: string | null, value: string, ttlMs: number | null): Promise<boolean>;

  /** Deletes an entry or a set. `true` when there was a live one. */
  delete(key: string): Promise<boolean>;

  /** Adds to a set, atomically; the set lives as long as its longest `ttlMs`. Resolves to the number of live members. */
  addMembers(key: string, members: readonly string[], ttlMs: number | null): Promise<number>;

  /** The live members of a set, in no particular order; `[]` for an unknown one. */
  members(key: string): Promise<string[]>;
}

export interface CacheEntry {
  readonly value: string;
  /** Changes with every write of the key, and never comes back, also after a delete. */
  readonly version: string;
}

export interface CacheCapabilities {
  /** Other processes see the same entries. A cluster refuses to start on a cache that is not shared. */
  readonly shared: boolean;
}
