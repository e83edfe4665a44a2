import { checkRule, type CheckedRule, type RuleInput, type RuleSetting } from "./check-rule.js";
import { nextSlot } from "./next-slot.js";
import { calendarSteps, elapsedStep, type Rule } from "./rule.js";

/** What makes a schedule look for its next slot anew. */
const timing = ["type", "minutes", "every", "cron", "at", "nextRun"] as const satisfies readonly (keyof RuleInput)[];

/**
 * A rule after an edit, and its next slot. When the cron expression, type, distance, time or zone changed, that is the
 * first slot after now by the new rule; a rule that still follows the clock keeps its time of the day.
 *
 * @param setting.zone - The clocks of the zone it has from now on.
 * @param nextRun - The slot that it waits for so far.
 * @throws {ScheduleError} as {@link checkRule}.
 */
export function editRule(
  rule: Rule,
  changes: RuleInput,
  nextRun: number | null,
  setting: RuleSetting,
): { readonly rule: Rule; readonly nextRun: number | null } {
  const isRetimed = timing.some((key) => changes[key] !== undefined) || setting.zone.name !== rule.timeZone;
  const kept = { ...inputOf(rule), ...(changes.type === undefined ? {} : noDistance) };
  const waiting = nextRun === null || isRetimed ? undefined : new Date(nextRun);
  const checked = checkRule({ nextRun: waiting, ...kept, ...given(changes) }, setting);
  if (!isRetimed) return { rule: { ...checked.rule, anchor: rule.anchor }, nextRun };
  if (changes.nextRun !== undefined || changes.at !== undefined) return fresh(checked);
  const edited = { ...checked.rule, anchor: keepsAnchor(rule, checked.rule) ? rule.anchor : checked.rule.anchor };
  if (edited.type === "ONCE") return fresh(checked);
  return { rule: edited, nextRun: nextSlot(edited, setting.now, setting.zone) };
}

const noDistance = { minutes: undefined, every: undefined, cron: undefined };

function fresh({ rule, firstSlot }: CheckedRule): { readonly rule: Rule; readonly nextRun: number } {
  return { rule, nextRun: firstSlot };
}

function keepsAnchor(before: Rule, after: Rule): boolean {
  const bothFollowClock = calendarSteps[before.type] !== undefined && calendarSteps[after.type] !== undefined;
  return bothFollowClock || (elapsedStep(before) !== undefined && elapsedStep(after) !== undefined);
}

function inputOf(rule: Rule): RuleInput {
  const { type, everyMs, cron, until, jitterMs, catchUp, catchUpLimit, overlap } = rule;
  return {
    type,
    minutes: type === "MINUTES" ? (everyMs ?? 0) / 60_000 : undefined,
    every: type === "EVERY" ? everyMs : undefined,
    cron,
    until: until === undefined ? undefined : new Date(until),
    jitter: jitterMs,
    catchUp,
    catchUpLimit,
    overlap,
  };
}

function given(changes: RuleInput): RuleInput {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}
