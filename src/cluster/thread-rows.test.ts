import { expect, it } from "vitest";
import type { Delivery } from "../contracts/broker.js";
import type { AttemptRecord, NewTask, Outcome, Settlement } from "../contracts/store.js";
import { deliveryOf, deliveryRow, settlementOf, settlementRow } from "./thread-rows.js";

const error = { name: "Error", message: "no", stack: null };
const attempt: AttemptRecord = {
  number: 2,
  ending: "succeeded",
  counted: true,
  startedAt: 1,
  stoppedAt: 2,
  worker: "host:1",
  error: null,
};
const success: Outcome = { to: "succeeded", result: "1\nsigned", keep: true };

it("hands a delivery to the cluster as the store gave it", () => {
  const delivery: Delivery = {
    receipt: "7.a",
    id: "a",
    queue: "default",
    envelope: "{}",
    deliveries: 3,
    attempts: 1,
    starts: 2,
    queuedAt: 10,
    dueAt: 20,
    expired: true,
  };

  expect(deliveryOf(structuredClone(deliveryRow(delivery)))).toEqual(delivery);
});

it.each<[string, Partial<Settlement>]>([
  ["a success", {}],
  ["a success that is not kept", { outcome: { ...success, keep: false } }],
  ["a success with a hook", { followUps: [{ id: "hook" } as NewTask] }],
  ["a success of an attempt with an error", { attempt: { ...attempt, error } }],
  ["a failure", { attempt: { ...attempt, ending: "error", error }, outcome: { to: "failed", error } }],
  ["a retry", { attempt: { ...attempt, ending: "error", error }, outcome: { to: "retrying", delayMs: 5 } }],
  ["a task that never started", { attempt: null, outcome: { to: "expired", error } }],
  ["what is given back", { attempt: null, outcome: { to: "queued", delayMs: 0, suspect: true } }],
])("hands %s to the store as the cluster settled it", (_, part) => {
  const settlement: Settlement = { receipt: "7.a", id: "a", attempt, outcome: success, followUps: [], ...part };

  expect(settlementOf(structuredClone(settlementRow(settlement)))).toEqual(settlement);
});
