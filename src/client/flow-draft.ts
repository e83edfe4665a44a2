import { checkArguments } from "../core/arguments.js";
import { encode } from "../core/codec.js";
import { parseDuration } from "../core/duration.js";
import { includesPrevious, previousTag } from "../core/previous.js";
import { mostShown } from "../core/schedule/target.js";
import type { FlowPlan, MemberHeader, PlannedRequest } from "../core/schedule/flow-plan.js";
import { OptionError, PreviousError, QlusterError } from "../errors.js";
import { quote } from "../core/quote.js";
import { checkMember, knownTarget, type EnqueueHost } from "./enqueuer.js";
import { defaultExpiresMs } from "./flow-desk.js";
import type { FlowTargetParts } from "./flow-target.js";
import { partsOf, stepsOf, type LinkParts, type StepParts } from "./link.js";
import { checkKnown, filledText, refuse } from "./option-checks.js";
import { planRequest, type PlannedHeader, type RequestPlan } from "./request-plan.js";
import { asReceived, fullArguments } from "./schedule-options.js";
import { hookName, type ResolvedTarget } from "./target.js";
import { settledOf, type Waits } from "./waits.js";

/** A flow that a schedule is to open, checked. */
export interface FlowDraft {
  readonly kind: FlowPlan["kind"];
  readonly func: string;
  readonly plan: Omit<FlowPlan, "defaults">;
  /** What it says of itself, where the schedule may say it too. */
  readonly name: string | undefined;
  readonly group: string | undefined;
  readonly hook: unknown;
  /** For people. */
  readonly funcs: readonly string[];
  /** Tasks that no module defines which this process has loaded. */
  readonly unknown: readonly string[];
}

interface Setting {
  readonly host: EnqueueHost;
  readonly intended: string | undefined;
  /** In milliseconds. */
  readonly now: number;
}

/** Members as they are planned, one after the other. */
class Members {
  readonly requests: PlannedRequest[] = [];
  readonly calls: [request: number, args: string][] = [];
  readonly unknown = new Set<string>();
  readonly #setting: Setting;
  readonly #places = new Map<unknown, number>();

  constructor(setting: Setting) {
    this.#setting = setting;
  }

  /** @param isFirst - No link is before. */
  *add({ target, args }: LinkParts, isFirst: boolean, isElement: boolean): Waits<ResolvedTarget> {
    const { host, intended, now } = this.#setting;
    const resolved = knownTarget(host, target);
    const { func, definition, plan } = resolved;
    checkMember(func, plan, isElement);
    if (plan.runAt !== null) throw new OptionError(`The option runAt of ${func} cannot hold here: leave it out.`);
    const full = fullArguments(args, undefined, intended);
    const isOpen = includesPrevious(full);
    if (!isOpen && definition !== undefined) {
      yield* settledOf(checkArguments(definition, asReceived(full, intended, now)));
    }
    const text = encode(full, "args");
    if (isFirst && text.includes(previousTag)) throw new PreviousError(func);
    if (definition === undefined) this.unknown.add(func);
    this.calls.push([this.#placeOf(target, func, plan), text]);
    return resolved;
  }

  #placeOf(target: unknown, func: string, plan: RequestPlan): number {
    const known = this.#places.get(target);
    if (known !== undefined) return known;
    const { queue = null, delayMs, expiresMs } = plan;
    this.#places.set(target, this.requests.length);
    return this.requests.push({ func, queue, header: memberHeader(plan), delayMs, expiresMs }) - 1;
  }
}

/** @throws {OptionError} {@link PreviousError} {@link ArgumentsError} {@link UnknownTaskError} as the verb for such a flow does. */
export function* draftFlow(
  host: EnqueueHost,
  parts: FlowTargetParts,
  intended: string | undefined,
  now: number,
): Waits<FlowDraft> {
  const members = new Members({ host, intended, now });
  if (parts.kind === "iter") return yield* draftIter(parts, members);
  return yield* parts.kind === "chain" ? draftChain(parts, members) : draftBatch(parts, members);
}

type Linked = Extract<FlowTargetParts, { readonly links: unknown }>;
type Elements = Extract<FlowTargetParts, { readonly elements: unknown }>;

function* draftChain(parts: Linked, members: Members): Waits<FlowDraft> {
  const options = optionsOf(
    parts.options,
    ["group", "name", "onFailure", "onComplete", "expires"],
    "a scheduled chain",
  );
  const { onFailure = "stop" } = options;
  if (onFailure !== "stop" && onFailure !== "continue") throw refuse("onFailure", onFailure, '"stop" or "continue"');
  const steps = stepsOf(parts.links, "chainOf");
  for (const [step, { links }] of steps.entries()) {
    for (const link of links) yield* placed(step, "chainOf", () => members.add(link, step === 0, false));
  }
  return drafted("chain", "chain", members, {
    steps: steps.map(({ links }) => links.length),
    parallel: wideSteps(steps),
    continues: onFailure === "continue",
    ...expiryOf(options),
    name: labelOf(options, "name"),
    group: labelOf(options, "group"),
    hook: options["onComplete"],
  });
}

function* draftBatch(parts: Linked, members: Members): Waits<FlowDraft> {
  const known = ["name", "onEach", "onComplete", "onSuccess", "onFailure", "expires"];
  const options = optionsOf(parts.options, known, "a scheduled batch");
  const { links } = parts;
  if (!Array.isArray(links) || links.length === 0) {
    throw new OptionError(`batchOf got ${quote(links)}; expected an array of at least one link(task, …its arguments).`);
  }
  for (const [place, link] of links.entries()) {
    yield* placed(place, "batchOf", () => members.add(partsOf(link, place, "batchOf"), true, false));
  }
  return drafted("batch", "batch", members, {
    steps: [links.length],
    parallel: [],
    continues: true,
    ...expiryOf(options),
    ...called(options, "each", "onEach"),
    ...called(options, "onSuccess", "onSuccess"),
    ...called(options, "onFailure", "onFailure"),
    name: undefined,
    group: labelOf(options, "name"),
    hook: options["onComplete"],
  });
}

function* draftIter({ target, elements, options: given }: Elements, members: Members): Waits<FlowDraft> {
  const options = optionsOf(given, ["hook", "expires"], "a scheduled iterable");
  if (typeof elements !== "object" || elements === null || !(Symbol.iterator in elements)) {
    throw new OptionError(
      `iterOf got ${quote(elements)}; expected a list or an iterable of elements: iterOf(task, [1, 2, 3]). ` +
        "For an async iterable, schedule a task that calls asyncIter.",
    );
  }
  let resolved: ResolvedTarget | undefined;
  for (const element of elements as Iterable<unknown>) {
    const args = Array.isArray(element) ? (element as unknown[]) : [element];
    const place = members.calls.length;
    resolved = yield* placed(place, "iterOf", () => members.add({ target, args }, true, true));
  }
  if (resolved === undefined)
    throw new OptionError("iterOf got no element. Give at least one: iterOf(task, [1, 2, 3]).");
  const { name, group } = resolved.plan.header;
  return drafted("iter", resolved.func, members, {
    steps: [members.calls.length],
    parallel: [],
    continues: true,
    ...expiryOf(options),
    name,
    group,
    hook: options["hook"],
  });
}

type Rest = Omit<FlowPlan, "kind" | "defaults" | "requests" | "calls"> & Pick<FlowDraft, "name" | "group" | "hook">;

function drafted(kind: FlowDraft["kind"], func: string, members: Members, rest: Rest): FlowDraft {
  const { name, group, hook, ...plan } = rest;
  const { requests, calls, unknown } = members;
  const funcs = kind === "iter" ? [func] : calls.slice(0, mostShown).map(([request]) => requests[request]?.func ?? "");
  return { kind, func, plan: { kind, ...plan, requests, calls }, name, group, hook, funcs, unknown: [...unknown] };
}

/** Options of a member in its header; how long results are kept, the flow says. */
function memberHeader({ header, hook }: Pick<RequestPlan, "header" | "hook">): MemberHeader {
  const { cached: _cached, member: _member, each: _each, ...rest }: PlannedHeader = header;
  return hook === undefined ? rest : { ...rest, hook: hookName(hook) };
}

/** What a schedule says of the members of its flow. @throws {OptionError} for what cannot hold for a flow. */
export function planFlowOptions(task: Parameters<typeof planRequest>[0]): RequestPlan {
  if (task.unique !== undefined) {
    throw new OptionError(
      'The option unique cannot hold for a chain, an iterable or a batch. To let one end before the next begins, give overlap: "skip" or "queue".',
    );
  }
  return planRequest(task);
}

/** The options of a schedule apart: what is the flow's, and what its members have where they say nothing of their own. */
export function splitHeader(header: PlannedHeader): { readonly own: PlannedHeader; readonly defaults: MemberHeader } {
  const { name, group, ...rest } = memberHeader({ header, hook: undefined });
  const { priority } = rest;
  return {
    own: {
      ...(name === undefined ? {} : { name }),
      ...(group === undefined ? {} : { group }),
      ...(priority === undefined ? {} : { priority }),
    },
    defaults: rest,
  };
}

function wideSteps(steps: readonly StepParts[]): number[] {
  return steps.flatMap(({ parallel }, step) => (parallel ? [step] : []));
}

function optionsOf(given: unknown, known: readonly string[], what: string): Readonly<Record<string, unknown>> {
  const options = given ?? {};
  if (typeof options !== "object") throw refuse(`of ${what}`, given, "an object of options");
  checkKnown(options, known, what);
  return options as Readonly<Record<string, unknown>>;
}

function expiryOf({ expires }: Readonly<Record<string, unknown>>): { readonly expiresMs: number } {
  return { expiresMs: expires === undefined ? defaultExpiresMs : parseDuration(expires as never, "expires") };
}

function labelOf(options: Readonly<Record<string, unknown>>, option: string): string | undefined {
  const value = options[option];
  if (value === undefined) return undefined;
  return planRequest({ group: filledText(value, option) }).header.group;
}

function called<K extends string>(
  options: Readonly<Record<string, unknown>>,
  key: K,
  option: string,
): { readonly [P in K]?: string } {
  const hook = options[option];
  return hook === undefined ? {} : ({ [key]: hookName(hook) } as { readonly [P in K]: string });
}

/** Says at which place something was refused. */
function* placed<T>(place: number, what: string, work: () => Waits<T>): Waits<T> {
  try {
    return yield* work();
  } catch (error) {
    if (error instanceof QlusterError) error.message = `At place ${place} of ${what}: ${error.message}`;
    throw error;
  }
}
