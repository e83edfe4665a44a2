import { expect, it } from "vitest";
import { connectTo, openOn, rowsOf, temporaryFile } from "../../../test/support/sqlite-file.js";
import type { NewTask } from "../../contracts/store.js";
import { manualClock } from "../../testing/manual-clock.js";
import { idOf } from "../../testing/messages.js";
import { newTask } from "../../testing/tasks.js";

const differences: readonly Partial<NewTask>[] = [
  {},
  { queue: "other" },
  { func: "core.tasks.other" },
  { name: "other" },
  { group: "other" },
  { kind: "hook", parent: idOf("other") },
  { parent: idOf("other") },
  { priority: 7 },
  { delayMs: 5_000 },
  { dueAt: 4_000_000_000_000 },
  { expiresMs: 60_000 },
  { unique: { key: "other", until: "finished", forMs: 1_000 } },
];

/** Rows as they are stored, after one call for each list. */
async function stored(...calls: readonly (readonly NewTask[])[]): Promise<unknown[]> {
  const location = temporaryFile();
  const { store } = await openOn(location, {}, manualClock());
  for (const tasks of calls) await store.submit(tasks);
  return rowsOf(connectTo(location), "SELECT * FROM qluster_message ORDER BY seq");
}

it.each(differences)("stores a task with %j in a call with others as it does alone", async (difference) => {
  const plain = Array.from({ length: 40 }, (_, n) => newTask(`plain ${n}`));
  const different = newTask("different", difference);

  const together = await stored([...plain, different]);

  expect(together).toEqual(await stored(plain, [different]));
  expect(together).toHaveLength(41);
});

it.each([1, 2, 50])("writes nothing of a call with %i tasks whose last one cannot be written", async (size) => {
  const location = temporaryFile();
  const { store, broker } = await openOn(location);
  await store.counts(1);
  const tasks = Array.from({ length: size }, (_, n) => newTask(`t${n}`));
  connectTo(location).exec(
    `CREATE TRIGGER no_last BEFORE INSERT ON qluster_message WHEN new.id = '${tasks.at(-1)!.id}' ` +
      "BEGIN SELECT raise(FAIL, 'no'); END",
  );

  await expect(store.submit(tasks)).rejects.toThrow("no");
  const after = await broker.queueSize();
  await store.submit([newTask("next")]);

  expect(after).toBe(0);
  expect(await broker.queueSize()).toBe(1);
});
