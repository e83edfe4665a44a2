import type { StoredTask } from "../contracts/store.js";
import type { FinishedTask } from "../core/task-types.js";
import type { CachedResults } from "./cached-results.js";
import type { Groups } from "./groups.js";
import type { RecordMethods } from "./types.js";

/** A record with what can be done with it. The methods are not among its own enumerable properties: it prints and compares as data. */
export function fetchedTask(
  record: FinishedTask,
  task: StoredTask,
  groups: () => Groups,
  cached: CachedResults,
): FinishedTask & RecordMethods {
  const { group } = record;
  const methods: RecordMethods = {
    save: async () => await cached.save(task),
    timeTaken: () => record.stoppedAt.getTime() - record.startedAt.getTime(),
    toString: () => record.name,
    groupResult: async (options) => (group === undefined ? undefined : await groups().results(group, options)),
    groupCount: async (options) => (group === undefined ? undefined : await groups().count(group, options)),
    groupDelete: async (options) => (group === undefined ? undefined : await groups().delete(group, options)),
  };
  for (const [name, value] of Object.entries(methods)) Object.defineProperty(record, name, { value });
  return record as FinishedTask & RecordMethods;
}
