import { expect, it } from "vitest";
import type { Client } from "pg";
import { memberId } from "../../src/core/flow.js";
import { createQluster, link, previous, ref } from "../../src/index.js";
import { manualClock } from "../../src/testing/index.js";
import { idOf } from "../../src/testing/messages.js";
import { newTask } from "../../src/testing/tasks.js";
import { outlive, shortLease, soon } from "../../src/testing/waiting.js";
import { connectTo, emptyPlace, openAt, schemaOf } from "../support/postgres.js";

const outbox = { aheadMs: 60_000, handMs: 1_000, resendMs: 60_000, missingMs: 2_000 };

it("takes over from a dead hold whose last call is still under way, once that has ended", async () => {
  const clock = manualClock();
  const url = emptyPlace();
  await using backend = await openAt(url, { outbox }, clock);
  const options = { queues: ["q"], leaseMs: shortLease, cluster: { id: "c", host: "web-1", pid: 1 } };
  const dead = await backend.outbox!.hold(options);
  const heir = await backend.outbox!.hold(options);
  await backend.store.submit([newTask("t")]);
  await dead.begin([idOf("t")]);
  await outlive(clock, heir);
  const client = await connectTo(url);
  await client.query("BEGIN");
  await client.query(`SELECT FROM "${schemaOf(url)}".qluster_consumer WHERE seq = $1 FOR KEY SHARE`, [dead.id]);

  const answer = heir.begin([idOf("t")]);
  await soon("the heir waits", waiter(client, schemaOf(url)));
  await client.query("COMMIT");

  expect(await soon("the heir begins", answer)).toMatchObject([{ as: "begun", delivery: { deliveries: 2 } }]);
});

it("leaves what a transaction of the application enqueued for whoever sends it, from the commit on", async () => {
  const url = emptyPlace();
  // Far longer than the test: only what nobody has in hand is handed out.
  await using backend = await openAt(url, { outbox: { ...outbox, aheadMs: 0, handMs: 600_000 } });
  const hold = await backend.outbox!.hold({
    queues: ["test"],
    leaseMs: 60_000,
    cluster: { id: "c", host: "h", pid: 1 },
  });
  const config = { name: "test", database: "memory:", secret: "s".repeat(40) };
  await using q = createQluster(config, { root: import.meta.dirname, env: {}, backend });
  const client = await connectTo(url);
  await client.query("BEGIN");
  const ids: string[] = [
    await q.in(client).asyncTask(ref("core.tasks.mail"), 1),
    await q.in(client).asyncTask(ref("core.tasks.mail", { unique: "u" }), 2),
  ];
  const chain = await q.in(client).asyncChain([link("core.tasks.mail", 1), link("core.tasks.mail", previous())]);
  const iter = await q.in(client).asyncIter("core.tasks.mail", [1]);
  ids.push(memberId(chain, 0, 0), memberId(iter, 0, 0));
  expect((await hold.unsent(10)).messages).toEqual([]);

  await client.query("COMMIT");

  expect((await hold.unsent(10)).messages.map(({ id }) => id)).toEqual(ids);
});

/** Resolves when somebody who uses the schema waits for a lock. */
async function waiter(client: Client, schema: string): Promise<void> {
  const sql = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND strpos(query, $1) > 0";
  while ((await client.query(sql, [schema])).rowCount === 0) await new Promise((resolve) => setTimeout(resolve, 10));
}
