import type { NewTask } from "../contracts/store.js";
import { attachResults } from "../core/attached-results.js";
import { parseDuration } from "../core/duration.js";
import { openTask, sealTask } from "../core/envelope.js";
import { memberId, placesOf } from "../core/flow.js";
import { checkLength } from "../core/names.js";
import { readHeader, type HeaderBefore, type TaskHeader } from "../core/task-header.js";
import { FlowError, QlusterError } from "../errors.js";
import type { Prepared } from "./enqueuer.js";
import { defaultExpiresMs, type FlowDesk } from "./flow-desk.js";
import { stepsOf, type StepParts } from "./link.js";
import { checkKnown, filledText, refuse, trueOrFalse } from "./option-checks.js";
import { newId } from "./random-ids.js";
import { cachedMs } from "./request-plan.js";
import { hookName } from "./target.js";
import type { ChainOptions } from "./types.js";

const optionNames = ["group", "name", "onFailure", "onComplete", "expires", "cached", "sync"];

/** The options of a chain, checked. */
interface ChainPlan {
  readonly group: string | undefined;
  readonly name: string | undefined;
  readonly continues: boolean;
  readonly hook: string | undefined;
  readonly expiresMs: number;
  readonly sync: boolean | undefined;
  readonly cached: number | null | undefined;
}

/** Chains of one client: `asyncChain` and `resume`. */
export class Chains {
  readonly #desk: FlowDesk;

  constructor(desk: FlowDesk) {
    this.#desk = desk;
  }

  /** @returns The chain's id, once it is stored; in sync mode, once it has run. */
  send(links: unknown, options: unknown): Promise<string> {
    return this.#desk.sender.counted(this.#send(links, options));
  }

  async #send(links: unknown, options: unknown): Promise<string> {
    this.#desk.check();
    const plan = planChain(options, this.#desk.config.cachedMs);
    const steps = stepsOf(links);
    const id = newId();
    const members = await this.#seal(id, steps, plan);
    const here = plan.sync ?? this.#desk.config.sync;
    const flow = await this.#desk.newFlow({
      id,
      kind: "chain",
      func: "chain",
      args: members.map(({ task }) => task.func),
      header: headerOf(id, steps, plan),
      steps: steps.map(({ links: some }) => some.length),
      stops: !plan.continues,
      expiresMs: plan.expiresMs,
      queued: !here,
    });
    const tasks = members.map(({ task }) => task);
    await this.#desk.write((flows) => flows.open(flow, tasks));
    for (const member of members) this.#desk.sender.sent(member);
    if (here) await this.#runHere(id, flow.steps, members, plan);
    return id;
  }

  /** Opens a chain again at its failed link: what has no success there is sealed anew, under ids of the next run. */
  async resume(id: string): Promise<void> {
    this.#desk.check();
    const flows = await this.#desk.flows();
    const [flow] = await flows.find([id]);
    if (flow?.kind !== "chain")
      throw new FlowError(`There is no chain ${id}. Give the id that asyncChain resolved to.`);
    if (flow.state === "open" || flow.state === "succeeded") throw new FlowError(nothingToResume(id, flow.state));
    const [from, to] = placesOf(flow.steps, flow.step);
    const done = await flows.outcomes(id, from, Number.MAX_SAFE_INTEGER);
    const succeeded = new Set(done.filter(({ state }) => state === "succeeded").map(({ place }) => place));
    const members = (await flows.members(id)).slice(from, to);
    const again = members.filter(({ member }) => !succeeded.has(member?.place ?? -1));
    if (again.length === 0) throw new FlowError(nothingToResume(id, flow.state));
    const run = flow.run + 1;
    const sealed = again.map((task) => this.#sealAgain(task, run));
    const resumed = await this.#desk.write((store) => store.resume(id, run, sealed, defaultExpiresMs));
    if (!resumed) throw new FlowError(`The chain ${id} was resumed or changed by somebody else at this moment.`);
  }

  async #seal(id: string, steps: readonly StepParts[], plan: ChainPlan): Promise<Prepared[]> {
    const members: Prepared[] = [];
    let before: HeaderBefore | undefined;
    for (const [step, { links, parallel }] of steps.entries()) {
      const from = members.length;
      for (const { target, args } of links) {
        const place = members.length;
        const member = { flow: id, place, run: 0 };
        const part = { id: memberId(id, place, 0), member, group: plan.group ?? id, before };
        members.push(await placed(step, async () => await this.#desk.sender.prepare(target, args, part)));
      }
      before = { flow: id, from, to: members.length, parallel, continues: plan.continues };
    }
    return members;
  }

  #sealAgain(task: NewTask, run: number): NewTask {
    const { host } = this.#desk.sender;
    const { maxBytes } = host.seal;
    const { header, args } = openTask(host.keys, task.queue, task.envelope, { maxBytes });
    const { flow, place } = { flow: "", place: 0, ...task.member };
    const id = memberId(flow, place ?? 0, run);
    const envelope = sealTask(host.keys, task.queue, { ...header, id }, args, host.seal);
    return { ...task, id, envelope, member: { flow, place, run } };
  }

  /** Each link in this process, one after the other. Rejects with what the first failed link of a chain that stops threw. */
  async #runHere(id: string, steps: readonly number[], members: readonly Prepared[], plan: ChainPlan): Promise<void> {
    let thrown: { readonly error: unknown } | undefined;
    for (const step of steps.keys()) {
      const before = step === 0 ? [] : await this.#outcomes(id, placesOf(steps, step - 1));
      for (const member of members.slice(...placesOf(steps, step))) {
        const { task } = member;
        const envelope =
          readHeader(task.envelope)?.before === undefined ? task.envelope : attachResults(task.envelope, before);
        await this.#desk.sender
          .runHere({ ...member, task: { ...task, envelope } })
          .catch((error: unknown) => (thrown ??= { error }));
      }
      if (thrown !== undefined && !plan.continues) break;
    }
    await this.#desk.runHooksHere(id);
    if (thrown !== undefined && !plan.continues) throw thrown.error;
  }

  async #outcomes(id: string, [from, to]: readonly [number, number]) {
    const outcomes = await (await this.#desk.flows()).outcomes(id, from, Number.MAX_SAFE_INTEGER);
    return outcomes.filter(({ place }) => place < to);
  }
}

function planChain(given: unknown, cachedByDefault: number | null | undefined): ChainPlan {
  const options = (given ?? {}) as ChainOptions;
  if (typeof options !== "object") throw refuse("of a chain", given, "an object of options");
  checkKnown(options, optionNames, "a chain");
  const { onFailure = "stop", onComplete, expires } = options;
  if (onFailure !== "stop" && onFailure !== "continue") throw refuse("onFailure", onFailure, '"stop" or "continue"');
  return {
    group: label(options.group, "group"),
    name: label(options.name, "name"),
    continues: onFailure === "continue",
    hook: onComplete === undefined ? undefined : hookName(onComplete),
    expiresMs: expires === undefined ? defaultExpiresMs : parseDuration(expires, "expires"),
    sync: trueOrFalse(options.sync, "sync"),
    cached: options.cached === undefined ? cachedByDefault : cachedMs(options.cached),
  };
}

function label(value: unknown, option: string): string | undefined {
  if (value === undefined) return undefined;
  const text = filledText(value, option);
  checkLength(option, text, 100);
  return text;
}

function headerOf(id: string, steps: readonly StepParts[], plan: ChainPlan): Omit<TaskHeader, "v" | "id" | "func"> {
  const wide = steps.flatMap(({ links, parallel }, step) => (parallel ? [[step, links.length]] : []));
  return {
    group: plan.group ?? id,
    ...(plan.name === undefined ? {} : { name: plan.name }),
    ...(plan.hook === undefined ? {} : { hook: plan.hook }),
    ...(plan.cached === undefined ? {} : { cached: plan.cached }),
    flow: {
      kind: "chain",
      ...(wide.length === 0 ? {} : { parallel: Object.fromEntries(wide) as Record<string, number> }),
    },
  };
}

/** Says at which link something was refused. */
async function placed<T>(step: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof QlusterError) error.message = `At place ${step} of the chain: ${error.message}`;
    throw error;
  }
}

function nothingToResume(id: string, state: string): string {
  const why = state === "open" ? "is still running" : "has no link that did not succeed";
  return `The chain ${id} cannot be resumed: it ${why}. Its links are shown by q.flow("${id}").`;
}
