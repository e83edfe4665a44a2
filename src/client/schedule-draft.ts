import type { NewSchedule, ScheduleDefinition, StoredSchedule } from "../contracts/schedules.js";
import type { Store } from "../contracts/store.js";
import { checkArguments } from "../core/arguments.js";
import type { FlowPlan } from "../core/schedule/flow-plan.js";
import { encode } from "../core/codec.js";
import { checkRule, type RuleInput, type RuleSetting } from "../core/schedule/check-rule.js";
import { replaceRule } from "../core/schedule/edit-rule.js";
import { dueAtOf, ruleOf } from "../core/schedule/fire.js";
import type { Rule } from "../core/schedule/rule.js";
import { zoneClock, type ZoneClock } from "../core/schedule/zone-clock.js";
import { sign } from "../core/signature.js";
import { OptionError } from "../errors.js";
import type { ResolvedConfig } from "../options/resolved.js";
import { knownTarget, type EnqueueHost } from "./enqueuer.js";
import { flowsOf } from "./flow-desk.js";
import { draftFlow, planFlowOptions, splitHeader } from "./flow-draft.js";
import { flowTargetParts, type FlowTargetParts } from "./flow-target.js";
import { planRequest, type PlannedHeader, type RequestPlan } from "./request-plan.js";
import {
  argumentsBelong,
  asReceived,
  fullArguments,
  readScheduleOptions,
  type ScheduleOptions,
} from "./schedule-options.js";
import { openerHeader, sealTarget, type SealedParts, type Shape } from "./schedule-seal.js";
import { hookName } from "./target.js";
import { run, settledOf, type Waits } from "./waits.js";

/** What schedules of one client have in common. */
export interface DraftHost {
  readonly enqueue: EnqueueHost;
  readonly config: ResolvedConfig;
  /** Wall time, in milliseconds. */
  readonly now: () => number;
}

/** A schedule that was checked, before it has an id or is sealed. */
export interface Draft {
  readonly func: string;
  /** What a slot of it becomes. */
  readonly shape: Shape;
  /** Tasks that no module defines which this process has loaded. */
  readonly unknown: readonly string[];
  readonly options: ScheduleOptions;
  readonly plan: RequestPlan;
  readonly args: readonly unknown[];
  readonly setting: RuleSetting;
}

/**
 * Everything that can be refused is refused here: options, name, task, arguments, rule. A promise only for an input schema that
 * is asynchronous, and for the first zone.
 *
 * @throws {ScheduleError} {@link OptionError} {@link UnknownTaskError} {@link ArgumentsError}
 */
export function draftSchedule(host: DraftHost, target: unknown, given: unknown): Draft | Promise<Draft> {
  return run(drafting(host, target, given));
}

function* drafting(host: DraftHost, target: unknown, given: unknown): Waits<Draft> {
  const options = readScheduleOptions(given);
  const setting = yield* settledOf(settingOf(host, options.timeZone));
  checkRule(options.rule, setting);
  const parts = flowTargetParts(target);
  const made = yield* parts === undefined ? draftTask(host, target, options) : draftFlowOf(host, parts, options);
  return { ...made, options, setting };
}

type Made = Omit<Draft, "options" | "setting">;

function* draftTask(host: DraftHost, target: unknown, options: ScheduleOptions): Waits<Made> {
  const { func, definition, options: own } = knownTarget(host.enqueue, target);
  const { sync: _, ...inherited } = own;
  if (inherited.runAt !== undefined)
    throw new OptionError("A schedule has nextRun for its first slot; leave runAt out.");
  if (inherited.batch !== undefined)
    throw new OptionError("A schedule opens a batch of its own, with batchOf([link(…), …]); leave batch out.");
  const plan = planRequest({ ...inherited, ...options.task });
  const args = fullArguments(options.args ?? [], options.kwargs, options.intended);
  if (definition !== undefined) {
    yield* settledOf(checkArguments(definition, asReceived(args, options.intended, host.now())));
  }
  return { func, shape: { kind: "task" }, unknown: definition === undefined ? [func] : [], plan, args };
}

/** The message of a slot carries what it opens as its one argument. */
function* draftFlowOf(host: DraftHost, parts: FlowTargetParts, options: ScheduleOptions): Waits<Made> {
  argumentsBelong(options);
  const drafted = yield* draftFlow(host.enqueue, parts, options.intended, host.now());
  const { kind, func, plan, funcs, unknown, ...flow } = drafted;
  const { unique, hook, header, ...given } = planFlowOptions(options.task);
  if (hook !== undefined && flow.hook !== undefined) {
    throw new OptionError("The schedule has the option hook, and what it opens names one too. Give one of them.");
  }
  const { own, defaults } = splitHeader(header);
  const { name = own.name, group = own.group } = flow;
  const whole: FlowPlan = { ...plan, defaults };
  const opener: PlannedHeader = {
    ...own,
    ...(name === undefined ? {} : { name }),
    ...(group === undefined ? {} : { group }),
  };
  return {
    func,
    shape: { kind, funcs, size: plan.calls.length },
    unknown,
    plan: { ...given, unique, hook: hook ?? flow.hook, header: openerHeader(opener, whole) },
    args: [whole],
  };
}

/** Refuses what the store could not open. @throws {FlowError} */
export function checkKept(store: Store, { shape }: Pick<Draft, "shape">): void {
  if (shape.kind !== "task") flowsOf(store);
}

/** A new schedule from a draft. @throws {UnencodableError} {@link TooLargeError} */
export function newSchedule(host: DraftHost, draft: Draft, id: string, declaredBy: string | null): NewSchedule {
  const { rule, firstSlot } = checkRule(draft.options.rule, draft.setting);
  const repeats = draft.options.repeats ?? -1;
  const progress = { nextRun: firstSlot, repeats, paused: false, lastTask: null, fault: null };
  return { id, ...definitionOf(host, draft, id, declaredBy, rule), ...progress, dueAt: dueAtOf(progress) };
}

/** The draft in the place of a schedule that is there: what changes of it. */
export function replacement(
  host: DraftHost,
  draft: Draft,
  schedule: StoredSchedule,
  declaredBy: string | null,
): { readonly definition: ScheduleDefinition; readonly nextRun: number | null } {
  const before = ruleOf(schedule);
  const { rule: input } = draft.options;
  // What counts for a new schedule only: a start of the program must not move those that are there.
  const lasting: RuleInput = before.type === "ONCE" || input.type === "ONCE" ? input : { ...input, nextRun: undefined };
  const { rule, nextRun } = replaceRule(before, lasting, schedule.nextRun, draft.setting);
  return { definition: definitionOf(host, draft, schedule.id, declaredBy, rule), nextRun };
}

export function settingOf(host: DraftHost, timeZone: string | undefined): RuleSetting | Promise<RuleSetting> {
  const zone = zoneClock(timeZone ?? host.config.timeZone);
  return zone instanceof Promise ? zone.then((clock) => settingIn(host, clock)) : settingIn(host, zone);
}

function settingIn({ config, now }: DraftHost, zone: ZoneClock): RuleSetting {
  return { now: now(), zone, catchUp: config.catchUp, zeroMinutes: config.preset === "django-q2" };
}

function definitionOf(
  host: DraftHost,
  draft: Draft,
  id: string,
  declaredBy: string | null,
  rule: Rule,
): ScheduleDefinition {
  const { func, options, plan, args, shape } = draft;
  const { name = null, cluster = null, intended } = options;
  const parts: SealedParts = {
    header: {
      ...plan.header,
      ...(plan.hook === undefined ? {} : { hook: hookName(plan.hook) }),
      group: plan.header.group ?? name ?? id,
      ...(intended === undefined ? {} : { intended }),
    },
    queue: cluster ?? plan.queue ?? host.config.name,
    expiresMs: plan.expiresMs,
    unique: plan.unique === null ? null : { ...plan.unique, key: `${func}:${plan.unique.key}` },
    delayMs: plan.delayMs,
    shape,
  };
  return {
    name,
    cluster,
    func,
    rule: JSON.stringify(rule),
    target: JSON.stringify(sealTarget(host.enqueue, id, func, parts, args)),
    declaredBy,
    fingerprint: fingerprintOf(host, draft, parts),
  };
}

/** Under the secret, because it says something of the arguments; which first slot was asked for does not count. */
function fingerprintOf({ enqueue }: DraftHost, draft: Draft, { header, ...rest }: SealedParts): string {
  const { func, options, args, setting } = draft;
  const { group: _, ...settings } = header;
  const { rule } = checkRule(options.rule, setting);
  const { anchor, ...lasting } = rule;
  const first = rule.type === "ONCE" && options.rule.nextRun !== undefined ? anchor : options.rule.at;
  const group = draft.plan.header.group;
  const asked = { func, settings, group, rest, lasting, first, name: options.name, repeats: options.repeats };
  return sign(enqueue.keys, "schedule", rest.queue, `${JSON.stringify(asked)}\n${encode(args, "args")}`);
}
