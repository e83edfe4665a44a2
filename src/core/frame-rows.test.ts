import { expect, it } from "vitest";
import type { FromWorker, JobReport, ToWorker } from "../contracts/frames.js";
import { packFromWorker, packToWorker, unpackFromWorker, unpackToWorker } from "./frame-rows.js";

const job = { index: 3, id: "a", queue: "default", envelope: "{}\n[]\nsigned", attempt: 2, queuedAt: 10, starts: 1 };
const success: JobReport = { index: 3, startedAt: 10, stoppedAt: 11, ending: { as: "succeeded", result: "1\nsigned" } };
const error = { name: "Error", message: "no", stack: null };

it.each<[string, ToWorker]>([
  ["tasks", { t: "run", jobs: [{ ...job, consumer: "1", receipt: "7.a" }] }],
  ["a recall", { t: "recall", count: 4 }],
])("hands %s to a worker as they were sent", (_, frame) => {
  expect(unpackToWorker(throughPipe(packToWorker(frame)))).toEqual(frame);
});

it.each<[string, FromWorker]>([
  ["a success", { t: "done", reports: [success] }],
  ["a success in a transaction of its own", { t: "done", reports: [{ ...success, completed: true }] }],
  ["a failure", { t: "done", reports: [success, { ...success, ending: { as: "error", error, final: false } }] }],
  ["what never ran", { t: "done", reports: [{ ...success, startedAt: null, ending: { as: "dead", error } }] }],
  ["an answer", { t: "pong", n: 1 }],
])("hears of %s as the worker sent it", (_, frame) => {
  expect(unpackFromWorker(throughPipe(packFromWorker(frame)))).toEqual(frame);
});

function throughPipe<T>(frame: T): T {
  return JSON.parse(JSON.stringify(frame)) as T;
}
