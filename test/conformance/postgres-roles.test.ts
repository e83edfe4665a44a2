import { readFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { flowId, flowsOf, member, openChain, runWaiting } from "../../src/testing/flow/flows.js";
import { atOnce, consumer, message } from "../../src/testing/messages.js";
import { change, firing, insert, newSchedule } from "../../src/testing/schedules/schedules.js";
import { failed, hookOf, newTask, retrying, succeeded, succeededUnkept } from "../../src/testing/tasks.js";
import { connectTo, emptyPlace, openAt, schemaOf } from "../support/postgres.js";

/** The SQL that the documentation shows for a role, with the names of this test. */
function documented(mark: string, schema: string, role: string): string {
  const text = readFileSync(new URL("../../docs/postgres.md", import.meta.url), "utf8");
  const sql = new RegExp(`<!-- ${mark} -->\\s+\`\`\`sql\\n([^]*?)\`\`\``).exec(text)?.[1] ?? "";
  expect(sql).not.toBe("");
  return sql
    .replaceAll(`qluster_${mark}`, role)
    .replaceAll("SCHEMA qluster ", `SCHEMA ${schema} `)
    .replaceAll("qluster.", `${schema}.`);
}

function as(url: URL, role: string): URL {
  const own = new URL(url);
  own.username = role;
  return own;
}

it("needs no more than the documented privileges: an owner of the schema, and a user of the tables", async () => {
  const url = emptyPlace();
  const [owner, user] = ["owner", "user"].map((kind) => `${kind}_${randomBytes(6).toString("hex")}`) as [
    string,
    string,
  ];
  const superuser = await connectTo(url);
  await superuser.query(`CREATE ROLE ${owner} LOGIN; CREATE ROLE ${user} LOGIN`);
  await superuser.query(documented("owner", schemaOf(url), owner));

  await using created = await openAt(as(url, owner));
  await superuser.query(documented("user", schemaOf(url), user));
  await using backend = await openAt(as(url, user));

  const unique = { key: "k", until: "started", forMs: null } as const;
  const names = ["kept", "unkept", "retried", "held"];
  await backend.store.submit(names.map((name) => newTask(name, { unique: { ...unique, key: name } })));
  const holder = await consumer(backend.broker);
  const taken = await holder.take(atOnce);
  expect(taken).toHaveLength(4);
  const endings = [
    succeeded(taken[0]!, { followUps: [hookOf("kept")] }),
    succeededUnkept(taken[1]!),
    retrying(0)(taken[2]!),
  ];
  expect(await backend.store.finish(holder.id, endings)).toEqual([true, true, true]);
  await holder.renew([]);
  await holder.release([taken[3]!.receipt]);
  await holder.close();
  await backend.store.cancel(taken[2]!.id);
  await backend.store.report([{ id: taken[0]!.id, at: 1, log: "line", progress: { done: 1, total: 2, note: null } }]);
  await backend.store.tell("c1", { order: "stop" });
  expect(await backend.store.inbox("c1")).toHaveLength(1);
  await backend.cache.set("k", "v", 1);
  expect(await backend.cache.addMembers("s", ["a"], 1)).toBe(1);
  await backend.broker.enqueue("other", [message("m")]);
  expect(await backend.broker.deleteQueue("other")).toBe(1);
  const schedule = await insert(backend, newSchedule("every minute"));
  expect(await change(backend, firing(schedule, "fired", 60_000))).toBe("done");
  expect(await backend.store.schedules.runs(schedule.id, { limit: 1 })).toHaveLength(1);
  await runWaiting(backend);
  await openChain(backend, [1, 1]);
  expect(await runWaiting(backend)).toEqual(["f0"]);
  expect(await runWaiting(backend, failed)).toEqual(["f1"]);
  expect(await flowsOf(backend).resume(flowId, 1, [member(1, { run: 1 })], 1_000)).toBe(true);
  expect(await backend.store.cancel(flowId)).toBe("cancelled");
  await backend.store.clean({ successesMs: 0, failuresMs: 0, successesCount: 1, per: "group", groupMs: 0 });
  expect(await created.schema.migrate()).toEqual([]);
});
