// Runs in the store's thread: opens the backend and answers calls, each as soon as it is done.
import { parentPort, workerData } from "node:worker_threads";
import type { Backend } from "../contracts/backend.js";
import type { ConsumeOptions, Consumer } from "../contracts/broker.js";
import type { Hold } from "../contracts/outbox.js";
import { openBackendAt } from "../options/open-backend.js";
import { plainError } from "./store-thread-errors.js";
import type { Answer, Call, OpenedCapabilities, StoreThreadData } from "./store-thread-protocol.js";
import { deliveryRow, settlementOf, type DeliveryRow, type SettlementRow } from "./thread-rows.js";

const port = parentPort!;
const { scheme, options } = workerData as StoreThreadData;
const consumers = new Map<number, Consumer | Hold>();
const aborts = new Map<number, AbortController>();
let backend: Backend | undefined;
let changeTold = false;
let changedSince = false;

port.on("message", (call: Call) => {
  if ("abort" in call) return aborts.get(call.id)?.abort();
  perform(call).then(
    (value) => reply({ id: call.id, value }),
    (error: unknown) => reply({ id: call.id, error: plainError(error) }),
  );
});

async function perform(call: Exclude<Call, { abort: true }>): Promise<unknown> {
  if (call.target === "thread") return call.method === "open" ? await open() : await close();
  const [request] = call.args as [ConsumeOptions];
  if (call.target === "broker" && call.method === "consume") return keep(await backend!.broker.consume(request));
  if (call.target === "outbox" && call.method === "hold") return keep(await backend!.outbox!.hold(request));
  if (call.method === "take") return await take(call);
  if (call.target === "store" && call.method === "finish") return await finish(call);
  const target = targetOf(call) as unknown as Record<string, (...args: readonly unknown[]) => Promise<unknown>>;
  return await target[call.method]!(...call.args);
}

async function open(): Promise<OpenedCapabilities> {
  backend = await openBackendAt(scheme, options);
  backend.store.watch(tellOfChange);
  return {
    broker: backend.broker.capabilities,
    store: backend.store.capabilities,
    cache: backend.cache.capabilities,
    outbox: backend.outbox !== undefined,
  };
}

/** The cluster only looks for orders and schedules then; under load, ten looks a second are plenty. */
function tellOfChange(): void {
  if (changeTold) {
    changedSince = true;
    return;
  }
  changeTold = true;
  reply({ changed: true });
  setTimeout(() => {
    changeTold = false;
    if (changedSince) tellOfChange();
  }, 100);
  changedSince = false;
}

async function close(): Promise<void> {
  await backend?.[Symbol.asyncDispose]();
}

function keep(consumer: Consumer | Hold): { handle: number; id: string } {
  const handle = consumers.size + 1;
  consumers.set(handle, consumer);
  return { handle, id: consumer.id };
}

/** The only call that waits, and so the only one that can be aborted. */
async function take(call: Exclude<Call, { abort: true }>): Promise<DeliveryRow[]> {
  const abort = new AbortController();
  aborts.set(call.id, abort);
  try {
    const consumer = targetOf(call) as Consumer;
    const [wanted] = call.args as Parameters<Consumer["take"]>;
    return (await consumer.take({ ...wanted, signal: abort.signal })).map(deliveryRow);
  } finally {
    aborts.delete(call.id);
  }
}

async function finish(call: Exclude<Call, { abort: true }>): Promise<boolean[]> {
  const [consumer, rows] = call.args as readonly [string, readonly SettlementRow[]];
  return await backend!.store.finish(consumer, rows.map(settlementOf));
}

function targetOf({ target }: Exclude<Call, { abort: true }>): object {
  if (target.startsWith("consumer:")) return consumers.get(Number(target.slice("consumer:".length)))!;
  if (target === "flows") return backend!.store.flows!;
  if (target === "schedules") return backend!.store.schedules;
  return backend![target as "broker" | "store" | "cache" | "schema" | "outbox"]!;
}

function reply(answer: Answer): void {
  port.postMessage(answer);
}
