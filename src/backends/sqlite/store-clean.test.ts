import { expect, it } from "vitest";
import { openOn, temporaryFile } from "../../../test/support/sqlite-file.js";
import { consumer } from "../../testing/messages.js";
import { manualClock } from "../../testing/manual-clock.js";
import { failed, newTask, succeeded } from "../../testing/tasks.js";
import { loadDriver } from "./driver.js";
import { openSqlite } from "./index.js";

const limits = { successesMs: 60_000, failuresMs: 60_000, successesCount: 10, per: null, groupMs: 600_000 } as const;

it("takes the write lock for what goes only, however many members of groups are kept", async () => {
  const location = temporaryFile();
  const clock = manualClock();
  const { store, broker } = await openOn(location, {}, clock);
  const owner = await consumer(broker);
  await store.submit(Array.from({ length: 1_200 }, (_, n) => newTask(`member ${n}`, { group: "g" })));
  const taken = await owner.take({ max: 1_200, waitMs: 0 });
  await store.finish(
    owner.id,
    taken.map((delivery, n) => (n % 2 === 0 ? succeeded(delivery) : failed(delivery))),
  );
  await clock.advance(120_000);
  const statements: string[] = [];
  const driver = await loadDriver();
  const spying = {
    ...driver,
    open: (file: string) => {
      const database = driver.open(file);
      const prepare = (sql: string): ReturnType<typeof database.prepare> => {
        const statement = database.prepare(sql);
        return {
          run: (values) => (statements.push(sql), statement.run(values)),
          all: (values) => (statements.push(sql), statement.all(values)),
        };
      };
      return { ...database, prepare };
    },
  };
  const options = {
    location,
    project: "shop",
    durability: "process",
    migrate: true,
    blockMs: 20,
    retryMs: 100,
  } as const;
  await using cleaning = await openSqlite(options, spying, clock);
  await cleaning.store.counts(1);
  statements.length = 0;

  const removed = await cleaning.store.clean(limits);

  expect(removed).toBe(0);
  // One, for what has ended by itself.
  expect(statements.filter((sql) => sql.startsWith("BEGIN"))).toHaveLength(1);
  expect(await cleaning.store.clean({ ...limits, groupMs: 1_000 })).toBe(1_200);
});
