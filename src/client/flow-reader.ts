import type { MemberOutcome, StoredFlow } from "../contracts/flows.js";
import type { Store, StoredTask } from "../contracts/store.js";
import { openResult } from "../core/envelope.js";
import { finishedFromStore } from "../core/finished-task.js";
import { memberId } from "../core/flow.js";
import { inSteps } from "../core/flow-result.js";
import { readHeader } from "../core/task-header.js";
import type { FinishedTask } from "../core/task-types.js";
import { ResultExpiredError, TaskFailedError } from "../errors.js";
import { flowsOf } from "./flow-desk.js";
import { failureOf, type Opener } from "./reader.js";
import type { FlowStatus } from "./types.js";

/** The largest page of results that is read at once, in bytes. */
const pageBytes = 1024 * 1024;

/** Reads chains, iterables and batches. */
export class FlowReader {
  readonly #store: () => Promise<Store>;
  readonly #opener: Opener;

  constructor(store: () => Promise<Store>, opener: Opener) {
    this.#store = store;
    this.#opener = opener;
  }

  /** The flow with this id, if it is one. */
  async find(id: string): Promise<StoredFlow | undefined> {
    if (!/^[0-9a-f]{32}$/.test(id)) return undefined;
    const { flows } = await this.#store();
    return (await flows?.find([id]))?.[0];
  }

  async status(id: string): Promise<FlowStatus | undefined> {
    const flow = await this.find(id);
    if (flow === undefined) return undefined;
    const { kind, state, steps, done, failed, step, failedAt, error, openedAt, expiresAt, endedAt } = flow;
    return {
      id,
      kind,
      name: flow.name ?? undefined,
      group: flow.group ?? undefined,
      state,
      size: steps.length === 0 ? undefined : steps.reduce((sum, width) => sum + width, 0),
      done,
      failed,
      current: step,
      failedAt: failedAt ?? undefined,
      error: error === null ? undefined : { ...error, stack: error.stack ?? undefined },
      links: kind === "chain" ? await this.#links(id) : [],
      openedAt: new Date(openedAt),
      expiresAt: expiresAt === null ? undefined : new Date(expiresAt),
      endedAt: endedAt === null ? undefined : new Date(endedAt),
    };
  }

  /** Results of a chain in the order of its links; with `failures`, what failed stands in its place as an error. */
  async results(flow: StoredFlow, failures: boolean): Promise<unknown[]> {
    if (await this.hasExpired({ ...flow, stoppedAt: flow.endedAt })) throw new ResultExpiredError(flow.id);
    const outcomes = await this.#all(flow.id);
    const results: unknown[] = [];
    for (const outcome of outcomes) {
      const isLost = outcome.state !== "succeeded";
      // A failure that ended the chain is no gap in it.
      if (isLost && !failures && flow.stops) continue;
      results[outcome.place] = isLost
        ? failures
          ? this.failureOf(flow, outcome)
          : undefined
        : this.open(flow.id, outcome);
    }
    const list = Array.from(results);
    return flow.kind === "chain" ? inSteps(list, readHeader(flow.envelope)?.flow ?? {}) : list;
  }

  /** The links of a chain in their order, as far as they were kept. */
  async tasks(flow: StoredFlow, failures: boolean): Promise<StoredTask[]> {
    const outcomes = (await this.#all(flow.id)).filter(({ state }) => failures || state === "succeeded");
    const ids = outcomes.map(({ place, run }) => memberId(flow.id, place, run));
    const tasks = new Map((await (await this.#store()).finished(ids)).map((task) => [task.id, task]));
    return ids.flatMap((id) => tasks.get(id) ?? []);
  }

  /** Whether the results of an ended flow were to be kept for a time that is over, by the store's clock. */
  async hasExpired({ envelope, stoppedAt }: Pick<StoredTask, "envelope" | "stoppedAt">): Promise<boolean> {
    const cached = readHeader(envelope)?.cached;
    if (cached === undefined || cached === null || stoppedAt === null) return false;
    return stoppedAt + cached <= (await (await this.#store()).now());
  }

  /** What an ended flow returned. @throws {TaskFailedError} when it did not succeed. @throws {FlowError} when it is too much. */
  async resultOf(task: StoredTask): Promise<unknown> {
    if (task.state !== "succeeded") throw failureOf(task);
    return (await this.recordOf(task)).result;
  }

  /** The record of an ended flow, with its result if that is not too large. */
  async recordOf(task: StoredTask): Promise<FinishedTask> {
    const { keys, limits } = this.#opener;
    if (task.state === "succeeded" && (await this.hasExpired(task))) throw new ResultExpiredError(task.id);
    const members =
      task.state === "succeeded" && task.kind !== "batch" ? await this.#upTo(task.id, limits.maxResultBytes) : [];
    return finishedFromStore(task, keys(), limits, members);
  }

  /** All outcomes, or `null` when they take more than so many bytes. */
  async #upTo(id: string, maxBytes: number): Promise<MemberOutcome[] | null> {
    const all: MemberOutcome[] = [];
    let bytes = 0;
    for await (const page of this.pages(id)) {
      for (const { result } of page) bytes += Buffer.byteLength(result ?? "");
      if (bytes > maxBytes) return null;
      all.push(...page);
    }
    return all;
  }

  open(flow: string, { place, run, result }: MemberOutcome): unknown {
    const { keys, limits } = this.#opener;
    return openResult(keys(), memberId(flow, place, run), result ?? "", { maxBytes: limits.maxResultBytes });
  }

  failureOf(flow: StoredFlow, { place, run, state, error }: MemberOutcome): TaskFailedError {
    return new TaskFailedError({
      id: memberId(flow.id, place, run),
      func: flow.func,
      attempts: 0,
      state: state === "cancelled" || state === "expired" ? state : "failed",
      error: {
        name: error?.name ?? "Error",
        message: error?.message ?? `It ended as ${state}.`,
        stack: error?.stack ?? undefined,
      },
    });
  }

  /** Outcomes in pages, by place. */
  async *pages(id: string, first = 0): AsyncGenerator<readonly MemberOutcome[], void, undefined> {
    const flows = flowsOf(await this.#store());
    for (let from = first; ;) {
      const page = await flows.outcomes(id, from, pageBytes);
      const last = page.at(-1);
      if (last === undefined) return;
      yield page;
      from = last.place + 1;
    }
  }

  async #all(id: string): Promise<MemberOutcome[]> {
    const all: MemberOutcome[] = [];
    for await (const page of this.pages(id)) all.push(...page);
    return all;
  }

  async #links(id: string): Promise<FlowStatus["links"]> {
    const store = await this.#store();
    const members = await flowsOf(store).members(id);
    const ended = new Map((await this.#all(id)).map((outcome) => [outcome.place, outcome.state]));
    const stored = new Map((await store.get(members.map((task) => task.id))).map((task) => [task.id, task]));
    return members.map(({ id: link, func, member }) => {
      const state = ended.get(member?.place ?? -1) ?? stateOf(stored.get(link));
      return { id: link, func, state };
    });
  }
}

function stateOf(task: StoredTask | undefined): FlowStatus["links"][number]["state"] {
  return task === undefined ? "waiting" : task.state;
}
