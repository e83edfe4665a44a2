import type { NewSchedule, ScheduleDefinition, StoredSchedule } from "../contracts/schedules.js";
import { checkArguments } from "../core/arguments.js";
import { encode } from "../core/codec.js";
import { checkRule, type RuleInput, type RuleSetting } from "../core/schedule/check-rule.js";
import { replaceRule } from "../core/schedule/edit-rule.js";
import { dueAtOf, ruleOf } from "../core/schedule/fire.js";
import type { Rule } from "../core/schedule/rule.js";
import { zoneClock } from "../core/schedule/zone-clock.js";
import { sign } from "../core/signature.js";
import { OptionError } from "../errors.js";
import type { ResolvedConfig } from "../options/resolved.js";
import { knownTarget, type EnqueueHost } from "./enqueuer.js";
import { planRequest, type RequestPlan } from "./request-plan.js";
import { fullArguments, readScheduleOptions, type ScheduleOptions } from "./schedule-options.js";
import { sealTarget, type SealedParts } from "./schedule-seal.js";
import { hookName } from "./target.js";

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
  /** No module that this process has loaded defines its task. */
  readonly unknown: boolean;
  readonly options: ScheduleOptions;
  readonly plan: RequestPlan;
  readonly args: readonly unknown[];
  readonly setting: RuleSetting;
}

/**
 * Everything that can be refused is refused here: options, name, task, arguments, rule.
 *
 * @throws {ScheduleError} {@link OptionError} {@link UnknownTaskError} {@link ArgumentsError}
 */
export async function draftSchedule(host: DraftHost, target: unknown, given: unknown): Promise<Draft> {
  const options = readScheduleOptions(given);
  const { func, definition, options: own } = knownTarget(host.enqueue, target);
  const { sync: _, ...inherited } = own;
  if (inherited.runAt !== undefined)
    throw new OptionError("A schedule has nextRun for its first slot; leave runAt out.");
  const plan = planRequest({ ...inherited, ...options.task });
  const args = fullArguments(options.args ?? [], options.kwargs, options.intended);
  if (definition !== undefined) await checkArguments(definition, asReceived(args, options.intended, host.now()));
  const setting = await settingOf(host, options.timeZone);
  checkRule(options.rule, setting);
  return { func, unknown: definition === undefined, options, plan, args, setting };
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

export async function settingOf({ config, now }: DraftHost, timeZone: string | undefined): Promise<RuleSetting> {
  const zone = await zoneClock(timeZone ?? config.timeZone);
  return { now: now(), zone, catchUp: config.catchUp, zeroMinutes: config.preset === "django-q2" };
}

/** The arguments as the task will get them, for its schema. */
export function asReceived(args: readonly unknown[], intended: string | undefined, now: number): readonly unknown[] {
  if (intended === undefined) return args;
  return [...args.slice(0, -1), { ...(args.at(-1) as object), [intended]: new Date(now).toISOString() }];
}

function definitionOf(
  host: DraftHost,
  draft: Draft,
  id: string,
  declaredBy: string | null,
  rule: Rule,
): ScheduleDefinition {
  const { func, options, plan, args } = draft;
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
