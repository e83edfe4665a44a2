import { changeOf } from "../core/schedule/fire.js";
import { QlusterError, ScheduleError } from "../errors.js";
import { declaredParts } from "./scheduled.js";
import type { ScheduleClient, ScheduleHost } from "./schedule-client.js";
import { checkKept, draftSchedule, type Draft } from "./schedule-draft.js";
import { filledText } from "./option-checks.js";
import type { Declared, SyncReport } from "./schedule-types.js";

/** Everything is checked before anything is written: a mistake in one declaration leaves all as they are. */
export async function syncSchedules(
  host: ScheduleHost,
  client: ScheduleClient,
  declarations: readonly Declared[],
  options: { set?: string | undefined } | undefined,
): Promise<SyncReport> {
  const set = filledText(options?.set ?? "code", "set");
  const drafts = await draftAll(host, declarations);
  const store = await host.store();
  for (const draft of drafts.values()) checkKept(store, draft);
  const report = { added: [] as string[], changed: [] as string[], unchanged: [] as string[] };
  for (const [name, draft] of drafts) {
    const { did } = await client.put(draft, { upsert: true, declaredBy: set });
    report[did].push(name);
  }
  return { ...report, removed: await removeOthers(host, set, drafts) };
}

async function draftAll(host: ScheduleHost, declarations: readonly Declared[]): Promise<Map<string, Draft>> {
  const drafts = new Map<string, Draft>();
  for (const [index, declaration] of declarations.entries()) {
    const { target, rule } = declaredParts(declaration, index);
    try {
      const draft = await draftSchedule(host, target, rule);
      const { name } = draft.options;
      if (name === undefined)
        throw new ScheduleError("name", "It has no name. Give it one, so that it is known again at the next start.");
      if (drafts.has(name))
        throw new ScheduleError("name", `Another declaration has the name "${name}" too. Choose another one.`);
      drafts.set(name, draft);
    } catch (error) {
      if (error instanceof QlusterError) error.message = `At place ${index} of sync: ${error.message}`;
      throw error;
    }
  }
  return drafts;
}

/** What this set has declared before, and declares no more. */
async function removeOthers(host: ScheduleHost, set: string, drafts: ReadonlyMap<string, Draft>): Promise<string[]> {
  const { schedules } = await host.store();
  const removed: string[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await schedules.list({ limit: 200, declaredBy: set, after });
    for (const stored of page) {
      if (stored.name !== null && drafts.has(stored.name)) continue;
      const [answer] = await schedules.change([{ ...changeOf(stored, {}), progress: null }]);
      if (answer === "done") removed.push(stored.name ?? stored.id);
    }
    after = page.at(-1)?.id;
    if (page.length < 200) return removed;
  }
}
