import { expect, it } from "vitest";
import type { Backend, Delivery, Settlement } from "../../src/contracts/index.js";
import { atOnce, consumer, idOf } from "../../src/testing/messages.js";
import { attemptOf, failed, newTask, stored, succeeded } from "../../src/testing/tasks.js";
import { connectTo, emptyPlace, openAt, schemaOf } from "../support/postgres.js";

const names = ["a", "b", "c", "d"];

/** Tasks of all kinds, held by one cluster. */
async function held(backend: Backend): Promise<{ owner: string; deliveries: Delivery[] }> {
  const options = [{ name: "n", group: "g" }, { priority: 7 }, { kind: "hook", parent: idOf("p") } as const, {}];
  await backend.store.submit(names.map((name, index) => newTask(name, options[index])));
  const owner = await consumer(backend.broker);
  const deliveries = await owner.take(atOnce);
  return { owner: owner.id, deliveries: deliveries.toSorted((a, b) => a.envelope.localeCompare(b.envelope)) };
}

/** Each in its own time, on one of two workers. */
function success(delivery: Delivery, index: number, result?: string): Settlement {
  const attempt = attemptOf(delivery, { startedAt: 1_000_000 - index * 300, worker: `w${index % 2}` });
  const end = succeeded(delivery, { attempt: { ...attempt, stoppedAt: 1_000_007 + index } });
  return result === undefined ? end : { ...end, outcome: { to: "succeeded", result, keep: true } };
}

/** Everything that is kept of the tasks, but for the moment of it. */
async function record(backend: Backend): Promise<unknown[]> {
  const tasks = await backend.store.get(names.map(idOf));
  const attempts = await Promise.all(names.map((name) => backend.store.attempts(idOf(name))));
  const rollups = await backend.store.throughput(0);
  return [
    tasks.map((task) => ({ ...task, queuedAt: 0, dueAt: 0, finishedAt: 0 })),
    attempts,
    rollups.map((rollup) => ({ ...rollup, minute: 0 })),
  ];
}

it("keeps of a batch of successes what it keeps of each one in another company", async () => {
  await using together = await openAt(emptyPlace());
  await using mixed = await openAt(emptyPlace());
  const [one, other] = [await held(together), await held(mixed)];

  await together.store.finish(
    one.owner,
    one.deliveries.map((delivery, index) => success(delivery, index)),
  );
  await mixed.store.submit([newTask("e", { queue: "others" })]);
  const [last] = await (await consumer(mixed.broker, { queues: ["others"] })).take(atOnce);
  // An ending of another kind, which this cluster does not hold: nothing of it is stored.
  const ends = [...other.deliveries.map((delivery, index) => success(delivery, index)), failed(last!)];
  const answers = await mixed.store.finish(other.owner, ends);

  expect(answers).toEqual([true, true, true, true, false]);
  expect(await record(together)).toEqual(await record(mixed));
});

it.each([["usual"], ["a\u0001b"], ["\u0002"], [""], ["two\nlines"]])(
  "keeps the result %j, alone and in a batch",
  async (result) => {
    await using backend = await openAt(emptyPlace());
    const { owner, deliveries } = await held(backend);
    const [alone, ...others] = deliveries;

    await backend.store.finish(owner, [success(alone!, 0, result)]);
    const answers = await backend.store.finish(
      owner,
      others.map((one, index) => success(one, index, result)),
    );

    expect(answers).toEqual([true, true, true]);
    for (const name of names) expect((await stored(backend, name)).result).toBe(result);
  },
);

it("refuses in a batch what is not the cluster's any more, and keeps the rest", async () => {
  await using backend = await openAt(emptyPlace());
  const { owner, deliveries } = await held(backend);
  const rival = await consumer(backend.broker);
  const ends = deliveries.map((delivery, index) => success(delivery, index));

  const foreign = await backend.store.finish(rival.id, ends);
  await backend.store.finish(owner, ends.slice(0, 1));
  const again = await backend.store.finish(owner, ends);

  expect(foreign).toEqual([false, false, false, false]);
  expect(again).toEqual([false, true, true, true]);
});

it("lets the first ending of a task stay that is here twice, and stores the others of its batch", async () => {
  const url = emptyPlace();
  await using backend = await openAt(url);
  const { owner, deliveries } = await held(backend);
  const client = await connectTo(url);
  await client.query(
    `INSERT INTO "${schemaOf(url)}".qluster_task (project, id, state, finished_at, queue, priority, attempts, starts, queued_at,
       due_at, func, kind, counted, stopped_at, result, envelope)
     SELECT project, id, 'succeeded', 1, queue, 0, 1, 1, 1, 1, func, kind, 1, 1, 'the first', envelope
     FROM "${schemaOf(url)}".qluster_message WHERE id = $1`,
    [idOf("b")],
  );

  const answers = await backend.store.finish(
    owner,
    deliveries.map((delivery, index) => success(delivery, index)),
  );

  expect(answers).toEqual([true, true, true, true]);
  expect(await Promise.all(names.map(async (name) => (await stored(backend, name)).result))).toEqual([
    "result of a",
    "the first",
    "result of c",
    "result of d",
  ]);
  expect(await backend.broker.queueSize()).toBe(0);
});
