import { expect, it } from "vitest";
import type { Client } from "pg";
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

/** Resolves when somebody who uses the schema waits for a lock. */
async function waiter(client: Client, schema: string): Promise<void> {
  const sql = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND strpos(query, $1) > 0";
  while ((await client.query(sql, [schema])).rowCount === 0) await new Promise((resolve) => setTimeout(resolve, 10));
}
