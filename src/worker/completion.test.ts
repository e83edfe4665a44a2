import { expect, it } from "vitest";
import type { WorkerInit } from "../contracts/frames.js";
import type { Execution } from "../core/execute.js";
import { Completion } from "./completion.js";

it("refuses by name to complete a task whose broker is elsewhere, before it looks at the transaction", () => {
  const init = { database: { scheme: "sqlite", options: null, broker: "redis" } } as WorkerInit;
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const success = { result: "", startedAt: 0, stoppedAt: 0 };

  const complete = () => new Completion(init, silent).completeIn({} as Execution, {}, success);

  expect(complete).toThrow(/`broker` names "redis:", which cannot take part in it\. Leave `broker` out/);
});
