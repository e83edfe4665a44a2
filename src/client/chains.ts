import type { NewTask } from "../contracts/store.js";
import { attachResults } from "../core/attached-results.js";
import { parseDuration } from "../core/duration.js";
import { openTask, sealTask } from "../core/envelope.js";
import { memberId, placesOf } from "../core/flow.js";
import { checkLength } from "../core/names.js";
import { readHeader, type HeaderBefore, type TaskHeader } from "../core/task-header.js";
import { FlowError } from "../errors.js";
import type { PartOfFlow, Prepared } from "./enqueuer.js";
import { defaultExpiresMs, type FlowDesk, type FlowParts } from "./flow-desk.js";
import { after, eachInTurn, placed } from "./in-turn.js";
import { stepsOf, type LinkParts, type StepParts } from "./link.js";
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
    const { id, here, members, parts, plan } = await prepareChain(this.#desk, links, options);
    const flow = await this.#desk.newFlow(parts);
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

/** A chain that only needs to be written. */
export interface PreparedChain {
  readonly id: string;
  /** It is to run in this process. */
  readonly here: boolean;
  readonly parts: FlowParts;
  readonly members: readonly Prepared[];
  readonly plan: ChainPlan;
}

/** Checks and seals all links. A promise only where the application makes it one. */
export function prepareChain(desk: FlowDesk, links: unknown, options: unknown): PreparedChain | Promise<PreparedChain> {
  const plan = planChain(options, desk.config.cachedMs);
  const steps = stepsOf(links);
  const id = newId();
  const here = plan.sync ?? desk.config.sync;
  const members = eachInTurn(requestsOf(id, steps, plan), ({ step, target, args, part }) =>
    placed(`place ${step} of the chain`, () => desk.sender.prepare(target, args, part)),
  );
  return after(members, (sealed) => {
    const parts: FlowParts = {
      id,
      kind: "chain",
      func: "chain",
      args: sealed.map(({ task }) => task.func),
      header: headerOf(id, steps, plan),
      steps: steps.map(({ links: some }) => some.length),
      stops: !plan.continues,
      expiresMs: plan.expiresMs,
      queued: !here,
    };
    return { id, here, parts, members: sealed, plan };
  });
}

interface LinkRequest extends LinkParts {
  readonly step: number;
  readonly part: PartOfFlow;
}

/** All links by place. */
function requestsOf(id: string, steps: readonly StepParts[], plan: ChainPlan): LinkRequest[] {
  const requests: LinkRequest[] = [];
  let before: HeaderBefore | undefined;
  for (const [step, { links, parallel }] of steps.entries()) {
    const from = requests.length;
    for (const { target, args } of links) {
      const place = requests.length;
      const member = { flow: id, place, run: 0 };
      const part = { id: memberId(id, place, 0), member, group: plan.group ?? id, before };
      requests.push({ step, target, args, part });
    }
    before = { flow: id, from, to: requests.length, parallel, continues: plan.continues };
  }
  return requests;
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

function nothingToResume(id: string, state: string): string {
  const why = state === "open" ? "is still running" : "has no link that did not succeed";
  return `The chain ${id} cannot be resumed: it ${why}. Its links are shown by q.flow("${id}").`;
}
