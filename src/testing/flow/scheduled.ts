import assert from "node:assert/strict";
import type { Backend } from "../../contracts/backend.js";
import type { NewFlow } from "../../contracts/flows.js";
import type { StoredSchedule } from "../../contracts/schedules.js";
import { consumer, takeOne } from "../messages.js";
import { change, firing, insert, newSchedule, readSchedule } from "../schedules/schedules.js";
import { openEmpty, type Suite } from "../suite.js";
import { failed, finishOne, newTask, stateOf, succeeded, succeededUnkept, type Ending } from "../tasks.js";
import { flowId, flowsOf, member, newFlow, runWaiting } from "./flows.js";

/** Flows that the slots of schedules open: a task goes before each of them, with its id and its kind. */
export function scheduledFlowPromises(suite: Suite): void {
  suite.describe("a flow of a schedule", () => {
    statePromises(suite);
    recordPromises(suite);
  });
}

function statePromises({ it, clock, ...suite }: Suite): void {
  for (const [ending, end, state] of [
    ["succeeds", succeeded, "succeeded"],
    ["fails", failed, "failed"],
  ] as const) {
    it(`shows in its run: queued, running until it ${ending}, and so also without a record (P200, P222)`, async () => {
      await using backend = await openEmpty({ it, clock, ...suite });
      const schedule = await fired(backend);
      const states = [await stateOfRun(backend, schedule)];
      const owner = await consumer(backend.broker, { queues: ["openers"] });
      const delivery = await takeOne(owner);
      states.push(await stateOfRun(backend, schedule));
      await open(backend, schedule);
      await finishOne(backend, owner, succeededUnkept(delivery));
      states.push(await stateOfRun(backend, schedule), (await stateOf(backend, "flow")) ?? "none");

      await runWaiting(backend, end);
      states.push(await stateOfRun(backend, schedule));
      await clock.advance(1_000);
      const limits = { successesMs: 10, failuresMs: 10, successesCount: null, per: null, groupMs: 0 };
      while ((await backend.store.clean(limits)) > 0);

      assert.deepEqual(states, ["queued", "running", "running", "running", state]);
      assert.deepEqual(await flowsOf(backend).find([flowId]), []);
      assert.equal(await stateOfRun(backend, schedule), state);
    });
  }

  it("that could not be opened has failed, and so has its run (P200, P222)", async () => {
    await using backend = await openEmpty({ it, clock, ...suite });
    const schedule = await fired(backend);

    await runOpener(backend, failed);

    const [record] = await backend.store.get([flowId]);
    assert.deepEqual([record?.state, record?.kind], ["failed", "chain"]);
    assert.equal(await stateOfRun(backend, schedule), "failed");
  });
}

function recordPromises(suite: Suite): void {
  const { it } = suite;

  it("has its schedule as the parent of its record, which its header names, open and ended (P200)", async () => {
    await using backend = await openEmpty(suite);
    const schedule = await fired(backend);
    await open(backend, schedule);
    await runOpener(backend, succeededUnkept);
    const [before] = await backend.store.get([flowId]);
    await runWaiting(backend);
    const [after] = await backend.store.get([flowId]);

    assert.deepEqual([before?.parent, after?.parent], [schedule.id, schedule.id]);
  });

  it("is opened once when its task comes again, and its task counts nowhere (P200, P217)", async () => {
    await using backend = await openEmpty(suite);
    const schedule = await fired(backend);
    assert.equal((await backend.store.counts(10)).queued, 0);
    await open(backend, schedule);
    await open(backend, schedule);
    assert.equal((await backend.store.get([flowId])).length, 1);
    await runOpener(backend, succeededUnkept);

    assert.deepEqual(await runWaiting(backend), ["f0"]);
    await open(backend, schedule);
    assert.deepEqual(await runWaiting(backend), []);
    assert.equal(
      (await backend.store.throughput(0)).reduce((all, { succeeded: some }) => all + some, 0),
      1,
    );
    assert.equal((await backend.store.counts(10)).succeeded, 1);
  });
}

/** A schedule whose first slot is to open the flow. */
async function fired(backend: Backend): Promise<StoredSchedule> {
  const schedule = await insert(backend, newSchedule("s"));
  const firingIt = firing(schedule, "flow", 1_000);
  const task = newTask("flow", { kind: "chain", parent: schedule.id, queue: "openers" });
  assert.equal(await change(backend, { ...firingIt, tasks: [task] }), "done");
  return await readSchedule(backend, schedule.id);
}

async function open(backend: Backend, { id: parent }: StoredSchedule): Promise<void> {
  const header = { v: 1, id: flowId, func: "chain", parent, flow: { kind: "chain" } };
  const flow: NewFlow = newFlow("chain", { steps: [1], envelope: `${JSON.stringify(header)}\n[]\nsignature` });
  await flowsOf(backend).open(flow, [member(0)]);
}

async function runOpener(backend: Backend, end: Ending): Promise<void> {
  const owner = await consumer(backend.broker, { queues: ["openers"] });
  await finishOne(backend, owner, end(await takeOne(owner)));
  await owner.close();
}

async function stateOfRun({ store }: Backend, { id }: StoredSchedule): Promise<string> {
  return (await store.schedules.runs(id, { limit: 1 }))[0]?.state ?? "none";
}
