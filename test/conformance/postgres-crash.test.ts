import { afterAll, beforeAll, expect, it } from "vitest";
import { emptyPlace, openAt } from "../support/postgres.js";
import { startPostgres, type PostgresServer } from "../support/postgres-server.js";
import { atOnce, consumer } from "../../src/testing/messages.js";
import { newTask } from "../../src/testing/tasks.js";

let server: PostgresServer;

beforeAll(async () => {
  // Only a commit that waits writes the log in time: the server's own writer comes every ten seconds.
  server = await startPostgres({ fsync: true, settings: ["wal_writer_delay=10s"] });
});
afterAll(() => server.remove());

it("knows after a crash who holds a message, so that nobody else starts it", async () => {
  const url = emptyPlace({}, server.url);
  await using backend = await openAt(url);
  await using other = await openAt(url);
  await backend.store.submit([newTask("t")]);
  const holder = await consumer(backend.broker);
  const rival = await consumer(other.broker);
  expect(await holder.take(atOnce)).toHaveLength(1);

  server.restart("immediate");

  await using after = await openAt(url);
  expect(await (await consumer(after.broker)).take(atOnce)).toEqual([]);
  expect(await rival.take(atOnce).catch(() => [])).toEqual([]);
});
