import { parseDuration } from "../core/duration.js";
import { checkLength } from "../core/names.js";
import type { HeaderFlow } from "../core/task-header.js";
import type { Batch } from "../core/task-types.js";
import { defaultExpiresMs, type FlowDesk } from "./flow-desk.js";
import { boundedInteger, checkKnown, filledText, refuse } from "./option-checks.js";
import { newId } from "./random-ids.js";
import { hookName } from "./target.js";
import type { BatchOptions } from "./types.js";

const optionNames = ["size", "onEach", "onComplete", "onSuccess", "onFailure", "expires"];

/** Opens a batch: so many tasks, whoever enqueues them, and what is called when they have ended. */
export async function openBatch(desk: FlowDesk, givenName: unknown, given: unknown): Promise<Batch> {
  desk.check();
  const name = filledText(givenName, "name of a batch");
  checkLength("name of a batch", name, 100);
  const { size, each, hook, flow, expiresMs } = planBatch(given);
  const id = newId();
  const opened = await desk.newFlow({
    id,
    kind: "batch",
    func: "batch",
    args: [],
    header: { name, group: name, ...(hook === undefined ? {} : { hook }), flow },
    steps: [size],
    stops: false,
    expiresMs,
    queued: true,
  });
  await desk.write((flows) => flows.open(opened, []));
  return Object.freeze({ id, name, each: each ?? null });
}

interface BatchPlan {
  readonly size: number;
  readonly each: string | undefined;
  readonly hook: string | undefined;
  readonly flow: HeaderFlow;
  readonly expiresMs: number;
}

function planBatch(given: unknown): BatchPlan {
  if (typeof given !== "object" || given === null)
    throw refuse("of a batch", given, "an object of options, with its size");
  const options = given as BatchOptions;
  checkKnown(options, optionNames, "a batch");
  const size = boundedInteger(options.size, "size", 0, Number.MAX_SAFE_INTEGER);
  if (size === undefined) throw refuse("size", options.size, "how many tasks the batch has");
  const onSuccess = called(options.onSuccess);
  const onFailure = called(options.onFailure);
  return {
    size,
    each: called(options.onEach),
    hook: called(options.onComplete),
    flow: {
      kind: "batch",
      size,
      ...(onSuccess === undefined ? {} : { onSuccess }),
      ...(onFailure === undefined ? {} : { onFailure }),
    },
    expiresMs: options.expires === undefined ? defaultExpiresMs : parseDuration(options.expires, "expires"),
  };
}

function called(hook: unknown): string | undefined {
  return hook === undefined ? undefined : hookName(hook);
}
