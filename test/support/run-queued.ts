import type { Backend } from "../../src/contracts/backend.js";
import { sealResult, type OpenedTask } from "../../src/core/envelope.js";
import { finishedTask } from "../../src/core/finished-task.js";
import { readHookBody } from "../../src/core/hook-message.js";
import { toErrorRecord } from "../../src/core/error-record.js";
import { openRequest } from "../../src/core/open-request.js";
import { readHeader } from "../../src/core/task-header.js";
import { keyring, type Keyring } from "../../src/core/keyring.js";
import { taskByName } from "../../src/core/registry.js";
import { settleAttempt } from "../../src/core/settle.js";
import type { Delivery } from "../../src/contracts/broker.js";
import type { Settlement } from "../../src/contracts/store.js";

export const secret = "a secret for tests only";
export const testKeys: Keyring = keyring("test", [secret]);

/** Runs what waits in a queue, each task once, the way a cluster would store it. Resolves to the number that ran. */
export async function runQueued(backend: Backend, queue: string = "test"): Promise<number> {
  const consumer = await backend.broker.consume({
    queues: [queue],
    leaseMs: 60_000,
    cluster: { id: "c1", host: "web-1", pid: 1 },
  });
  const deliveries = await consumer.take({ max: 1_000, waitMs: 0 });
  const settlements: Settlement[] = [];
  for (const delivery of deliveries) settlements.push(await settled(delivery));
  await backend.store.finish(consumer.id, settlements);
  await consumer.close();
  return deliveries.length;
}

/** A hook gets what has finished. */
function openDelivery(delivery: Delivery): OpenedTask {
  const header = readHeader(delivery.envelope);
  if (header?.kind !== "hook") return openRequest(testKeys, delivery, { maxBytes: 1e6 });
  const { outcome } = readHookBody(delivery.envelope);
  return { header, args: [finishedTask(outcome, testKeys, { maxMessageBytes: 1e6, maxResultBytes: 1e6 })] };
}

/** How a delivery ends when its task runs now. */
export async function settled(delivery: Delivery): Promise<Settlement> {
  const { header, args } = openDelivery(delivery);
  const run = taskByName(header.func)?.run as ((...args: unknown[]) => unknown) | undefined;
  const startedAt = Date.now();
  const policy = {
    timeoutMs: null,
    attempts: header.attempts ?? 1,
    backoff: { baseMs: 0, factor: 1, maxMs: 0, jitter: 0 },
    hookOn: "final",
    save: header.save ?? true,
  } as const;
  const common = { startedAt, worker: "web-1:2" };
  try {
    if (run === undefined) throw new Error(`no task ${header.func}`);
    const value = await run(...args);
    const result = sealResult(testKeys, delivery.id, value, { compress: false, encrypt: false, maxBytes: 1e6 });
    const end = { ...common, stoppedAt: Date.now(), ending: "succeeded", result } as const;
    return { receipt: delivery.receipt, id: delivery.id, followUps: [], ...settleAttempt(end, delivery, policy, 0) };
  } catch (error) {
    const end = { ...common, stoppedAt: Date.now(), ending: "error", error: toErrorRecord(error) } as const;
    return { receipt: delivery.receipt, id: delivery.id, followUps: [], ...settleAttempt(end, delivery, policy, 0) };
  }
}
