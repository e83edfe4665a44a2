import { expect, inject, it } from "vitest";
import { connectTo, emptyPlace, openAt, schemaOf } from "../support/postgres.js";
import { startPgbouncer } from "../support/pgbouncer.js";
import { atOnce, consumer } from "../../src/testing/messages.js";
import { soon } from "../../src/testing/waiting.js";
import { newTask, succeeded } from "../../src/testing/tasks.js";

it("works through a proxy that pools transactions: finds out by itself, and looks again and again instead of listening", async () => {
  const proxy = await startPgbouncer(new URL(inject("postgresUrl")!));
  const url = emptyPlace({}, proxy.href);
  await using backend = await openAt(url);
  await using other = await openAt(url);
  const owner = await consumer(backend.broker);

  expect(backend.broker.capabilities.push).toBe(false);
  const waiting = owner.take({ max: 10, waitMs: 10_000 });
  const tasks = Array.from({ length: 50 }, (_, n) => newTask(`t${n}`, { queue: n % 2 === 0 ? "q" : "later" }));
  await Promise.all(tasks.map((task) => other.store.submit([task])));

  const first = await soon("the waiting consumer looks again", waiting);
  expect(first.length).toBeGreaterThan(0);
  let done = 0;
  for (let taken = first; taken.length > 0; taken = await owner.take(atOnce)) {
    const stored = await backend.store.finish(
      owner.id,
      taken.map((delivery) => succeeded(delivery)),
    );
    done += stored.filter(Boolean).length;
  }
  expect(done).toBe(25);
});

it("keeps no settings and no prepared statements on connections that the proxy lends to others", async () => {
  const proxy = await startPgbouncer(new URL(inject("postgresUrl")!));
  const url = emptyPlace({}, proxy.href);
  await using backend = await openAt(url);
  const owner = await consumer(backend.broker);
  await backend.store.submit([newTask("t")]);
  await owner.take(atOnce);

  const direct = await connectTo(new URL(proxy));
  const { rows } = await direct.query(
    `SELECT current_setting('enable_sort') AS sort, current_setting('synchronous_commit') AS commit,
       (SELECT count(*)::int FROM pg_prepared_statements WHERE name LIKE 'qluster%') AS prepared`,
  );

  expect(rows).toEqual([{ sort: "on", commit: "on", prepared: 0 }]);
  expect(schemaOf(url)).toMatch(/^test_/);
});
