import assert from "node:assert/strict";
import type { Backend } from "../../contracts/backend.js";
import type { Consumer, Delivery } from "../../contracts/broker.js";
import type { FlowKind, Flows, NewFlow, StoredFlow } from "../../contracts/flows.js";
import type { NewTask, Settlement } from "../../contracts/store.js";
import { memberId } from "../../core/flow.js";
import { atOnce, consumer, idOf, takeAll } from "../messages.js";
import { finishOne, newTask, succeeded, type Ending } from "../tasks.js";

/** The flow that tests use. */
export const flowId: string = idOf("flow");

/** A flow whose end calls `done`. */
export function newFlow(kind: FlowKind, options: Partial<NewFlow> = {}): NewFlow {
  const { id = flowId } = options;
  const header = { v: 1, id, func: kind, hook: "core.tasks.done", flow: { kind } };
  return {
    id,
    kind,
    queue: "hooks",
    envelope: `${JSON.stringify(header)}\n[]\nsignature`,
    func: kind,
    name: null,
    group: null,
    steps: [],
    stops: true,
    expiresMs: null,
    queued: true,
    carryBytes: 1_000,
    ...options,
  };
}

/** The member at a place. Its envelope is sealed by nobody; `before`: it asks for the results of the step before. */
export function member(place: number, options: Partial<NewTask> & { run?: number; before?: boolean } = {}): NewTask {
  const { run = 0, before = false, ...rest } = options;
  const id = memberId(flowId, place, run);
  const link = before ? { before: { flow: flowId, from: 0, to: 1, parallel: false, continues: false } } : {};
  const envelope = `${JSON.stringify({ v: 1, id, func: `f${place}`, member: true, ...link })}\n[]\nsignature`;
  return newTask(id, { id, envelope, func: `f${place}`, member: { flow: flowId, place, run }, ...rest });
}

/** A task that joins a batch. */
export function joining(name: string, options: Partial<NewTask> = {}): NewTask {
  return newTask(name, { member: { flow: flowId, place: null, run: 0 }, ...options });
}

export function flowsOf({ store }: Backend): Flows {
  assert.ok(store.flows, "The store keeps no flows.");
  return store.flows;
}

/** A chain with these steps, opened. */
export async function openChain(
  backend: Backend,
  steps: readonly number[],
  options: Partial<NewFlow> = {},
): Promise<void> {
  const places = Array.from({ length: steps.reduce((sum, width) => sum + width, 0) }, (_, place) => place);
  const members = places.map((place) => member(place, { before: place > 0 }));
  await flowsOf(backend).open(newFlow("chain", { steps, ...options }), members);
}

/** The flow, which must be known. */
export async function theFlow(backend: Backend, id: string = flowId): Promise<StoredFlow> {
  const [flow] = await flowsOf(backend).find([id]);
  assert.ok(flow, `Expected the store to know the flow ${id}.`);
  return flow;
}

/** Runs what waits in queue `q` now, each task once. Resolves to the names of the functions. */
export async function runWaiting(backend: Backend, end: Ending = succeeded): Promise<string[]> {
  const owner = await consumer(backend.broker);
  const taken = await owner.take(atOnce);
  for (const delivery of taken) await finishOne(backend, owner, resultOf(delivery, end));
  await owner.close();
  return taken.map(funcOf);
}

/** Takes what waits, for an end of its own. */
export async function takeWaiting(backend: Backend, queue = "q"): Promise<[Consumer, Delivery[]]> {
  const owner = await consumer(backend.broker, { queues: [queue] });
  return [owner, await owner.take(atOnce)];
}

/** A success whose result is the name of the function. */
export function resultOf(delivery: Delivery, end: Ending = succeeded): Settlement {
  const settlement = end(delivery);
  const { outcome } = settlement;
  return outcome.to === "succeeded" ? { ...settlement, outcome: { ...outcome, result: funcOf(delivery) } } : settlement;
}

export function funcOf({ envelope }: { readonly envelope: string }): string {
  if (!envelope.startsWith("{")) return envelope;
  return (JSON.parse(envelope.split("\n", 1)[0] ?? "{}") as { func: string }).func;
}

/** The tasks that are called at the end of flows, and wait. */
export async function called(backend: Backend): Promise<string[]> {
  const owner = await consumer(backend.broker, { queues: ["hooks"] });
  const taken = await takeAll(owner);
  await owner.close();
  return taken.map(funcOf);
}

/** Place and result of what has ended. */
export async function results(backend: Backend, from = 0, maxBytes = 1e6): Promise<[number, string | null][]> {
  const outcomes = await flowsOf(backend).outcomes(flowId, from, maxBytes);
  return outcomes.map(({ place, result }) => [place, result]);
}
