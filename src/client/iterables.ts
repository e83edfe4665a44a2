import type { NewFlow } from "../contracts/flows.js";
import type { NewTask, Store } from "../contracts/store.js";
import { cancelTask } from "../core/cancelled-task.js";
import { parseDuration } from "../core/duration.js";
import { memberId } from "../core/flow.js";
import { OptionError, TooLargeError } from "../errors.js";
import { quote } from "../core/quote.js";
import type { Prepared } from "./enqueuer.js";
import { defaultExpiresMs, type FlowDesk, type FlowParts } from "./flow-desk.js";
import { eachInTurn, placed } from "./in-turn.js";
import type { IterOptions } from "./iter-types.js";
import { checkKnown, refuse } from "./option-checks.js";
import { newId } from "./random-ids.js";
import { hookName, resolveTarget, type ResolvedTarget } from "./target.js";

/** Elements in one write, and in memory at a time. */
export const atOnce = 1_000;

const optionNames = ["hook", "onProgress", "expires", "signal"];

interface IterPlan {
  readonly hook: string | undefined;
  readonly onProgress: ((enqueued: number) => void) | undefined;
  readonly expiresMs: number;
  readonly signal: AbortSignal | undefined;
}

/** What is being enqueued. */
export interface Run {
  readonly id: string;
  readonly source: Iterable<unknown> | AsyncIterable<unknown>;
  readonly target: unknown;
  readonly resolved: ResolvedTarget;
  readonly plan: IterPlan;
  readonly here: boolean;
}

/** What an element threw in sync mode. */
type Thrown = { readonly error: unknown } | undefined;

/** `asyncIter` of one client: elements are read, sealed and written in batches, however many there are. */
export class Iterables {
  readonly #desk: FlowDesk;

  constructor(desk: FlowDesk) {
    this.#desk = desk;
  }

  send(target: unknown, elements: unknown, options: unknown): Promise<string> {
    return this.#desk.sender.counted(this.#send(target, elements, options));
  }

  async #send(target: unknown, elements: unknown, options: unknown): Promise<string> {
    this.#desk.check();
    const run = planRun(this.#desk, target, elements, options);
    // Not before the first batch: what is refused in it leaves nothing behind.
    const batches = batchesOf(run.source);
    const first = (await batches.next()).value ?? [];
    const sealed = await sealElements(this.#desk, run, first, 0);
    const kept = first.length < atOnce ? first : [];
    const flow = flowOf(this.#desk, run, { kept, steps: [] }, await this.#desk.store());
    await this.#desk.write((flows) => flows.open(flow, []));
    let thrown: Thrown;
    try {
      thrown = await this.#sendAll(run, sealed, batches);
    } catch (error) {
      await batches.return(undefined);
      await cancelTask(await this.#desk.store(), run.id, Date.now()).catch(() => {});
      throw error;
    }
    if (thrown !== undefined) throw thrown.error;
    return run.id;
  }

  async #sendAll(run: Run, first: readonly Prepared[], rest: AsyncIterator<unknown[]>): Promise<Thrown> {
    let thrown = await this.#write(run, first);
    let size = first.length;
    run.plan.onProgress?.(size);
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      const sealed = await sealElements(this.#desk, run, next.value, size);
      thrown ??= await this.#write(run, sealed);
      size += sealed.length;
      run.plan.onProgress?.(size);
    }
    await this.#desk.write((flows) => flows.close(run.id, size));
    if (run.here) await this.#desk.runHooksHere(run.id);
    return thrown;
  }

  /** @returns What the first failed element threw, in sync mode. */
  async #write({ here }: Run, sealed: readonly Prepared[]): Promise<Thrown> {
    if (!here) {
      if (sealed.length > 0) await this.#desk.sender.write(sealed.map(({ task }): NewTask => task));
      if (sealed[0] !== undefined) this.#desk.sender.sent(sealed[0]);
      return undefined;
    }
    let thrown: Thrown;
    for (const one of sealed) {
      await this.#desk.sender.runHere(one).catch((error: unknown) => (thrown ??= { error }));
    }
    return thrown;
  }
}

/** Checks everything but the elements. */
export function planRun(desk: FlowDesk, target: unknown, elements: unknown, options: unknown): Run {
  const plan = planIter(options);
  const source = sourceOf(elements);
  const resolved = resolveTarget(target);
  return { id: newId(), target, resolved, plan, source, here: resolved.plan.sync ?? desk.config.sync };
}

/** Checks and seals elements. A promise only where the application makes it one. @param from - The place of the first. */
export function sealElements(
  desk: FlowDesk,
  { id, target, plan: { signal } }: Run,
  elements: readonly unknown[],
  from: number,
): Prepared[] | Promise<Prepared[]> {
  signal?.throwIfAborted();
  return eachInTurn(elements, (element, index) => {
    const place = from + index;
    const part = {
      id: memberId(id, place, 0),
      member: { flow: id, place, run: 0 },
      group: undefined,
      element: true,
    } as const;
    const args = Array.isArray(element) ? (element as unknown[]) : [element];
    return placed(`place ${place} of asyncIter`, () => desk.sender.prepare(target, args, part));
  });
}

/** @param known - `kept`: all elements, as the arguments of the record; none when there are too many. */
export function flowOf(
  desk: FlowDesk,
  { id, resolved, plan, here }: Run,
  known: { readonly kept: readonly unknown[]; readonly steps: readonly number[] },
  store: Pick<Store, "capabilities">,
): NewFlow {
  const { name, group } = resolved.plan.header;
  const cached = resolved.plan.saysCached ? resolved.plan.header.cached : desk.config.cachedMs;
  const parts: FlowParts = {
    id,
    kind: "iter",
    func: resolved.func,
    args: known.kept,
    header: {
      ...(name === undefined ? {} : { name }),
      ...(group === undefined ? {} : { group }),
      ...(cached === undefined ? {} : { cached }),
      ...(plan.hook === undefined ? {} : { hook: plan.hook }),
      flow: { kind: "iter" },
    },
    steps: known.steps,
    stops: false,
    expiresMs: plan.expiresMs,
    queued: !here,
  };
  try {
    return desk.sealed(parts, store);
  } catch (error) {
    if (!(error instanceof TooLargeError)) throw error;
    return desk.sealed({ ...parts, args: [] }, store);
  }
}

export async function* batchesOf(
  source: Iterable<unknown> | AsyncIterable<unknown>,
): AsyncGenerator<unknown[], undefined> {
  let batch: unknown[] = [];
  for await (const element of source) {
    batch.push(element);
    if (batch.length < atOnce) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
  return undefined;
}

function sourceOf(elements: unknown): Iterable<unknown> | AsyncIterable<unknown> {
  const isList = typeof elements === "object" && elements !== null;
  if (isList && (Symbol.iterator in elements || Symbol.asyncIterator in elements)) {
    return elements as Iterable<unknown> | AsyncIterable<unknown>;
  }
  throw new OptionError(
    `asyncIter got ${quote(elements)}; expected a list, an iterable or an async iterable of elements: asyncIter(task, [1, 2, 3]).`,
  );
}

function planIter(given: unknown): IterPlan {
  const options = (given ?? {}) as IterOptions;
  if (typeof options !== "object") throw refuse("of an iterable", given, "an object of options");
  checkKnown(options, optionNames, "an iterable");
  const { hook, onProgress, expires, signal } = options;
  if (onProgress !== undefined && typeof onProgress !== "function")
    throw refuse("onProgress", onProgress, "a function");
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw refuse("signal", signal, "an AbortSignal");
  return {
    hook: hook === undefined ? undefined : hookName(hook),
    onProgress,
    expiresMs: expires === undefined ? defaultExpiresMs : parseDuration(expires, "expires"),
    signal,
  };
}
