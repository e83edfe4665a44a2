import { checkRule, timeOf, type RuleInput, type RuleSetting } from "./check-rule.js";
import { nextSlot } from "./next-slot.js";
import { calendarSteps, elapsedStep, type Rule } from "./rule.js";

const dayMs = 86_400_000;

/** What a schedule waits for after its rule has changed. */
export interface EditedRule {
  readonly rule: Rule;
  readonly nextRun: number | null;
}

/**
 * The rule that takes the place of another one. When the expression, type, distance, time of the day or zone differs,
 * it waits for its first slot after now; a rule that still follows the clock keeps its time of the day, and one that
 * follows elapsed time its grid. Otherwise it goes on waiting for what it waited for.
 *
 * @param input - All of the new rule. `nextRun` counts for ONCE, and where the caller means it to.
 * @param setting.zone - The clocks of the new rule's zone.
 * @param nextRun - The slot that it waits for so far.
 * @throws {ScheduleError} as {@link checkRule}.
 */
export function replaceRule(before: Rule, input: RuleInput, nextRun: number | null, setting: RuleSetting): EditedRule {
  const { rule, firstSlot } = checkRule(input, setting);
  if (isMoved(before, rule, input, nextRun)) return { rule, nextRun: firstSlot };
  if (hasSameTimes(before, rule)) {
    const same = { ...rule, anchor: before.anchor };
    // One that was over goes on when it is given more time.
    if (nextRun === null && before.until !== rule.until && rule.type !== "ONCE")
      return { rule: same, nextRun: nextSlot(same, setting.now, setting.zone) };
    const isOver = nextRun !== null && rule.until !== undefined && nextRun > rule.until;
    return { rule: same, nextRun: isOver ? null : nextRun };
  }
  if (rule.type === "ONCE") return { rule, nextRun: firstSlot };
  const edited = { ...rule, anchor: keepsAnchor(before, rule) ? before.anchor : rule.anchor };
  return { rule: edited, nextRun: nextSlot(edited, setting.now, setting.zone) };
}

/** A rule as it would be written: to change parts of it. */
export function inputOf(rule: Rule): RuleInput {
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

function isMoved(before: Rule, after: Rule, { at, nextRun }: RuleInput, waiting: number | null): boolean {
  if (nextRun !== undefined && nextRun.getTime() !== waiting) return true;
  return (
    at !== undefined &&
    (!keepsAnchor(before, after) || before.anchor - Math.floor(before.anchor / dayMs) * dayMs !== timeOf(at))
  );
}

function hasSameTimes(before: Rule, after: Rule): boolean {
  return (["type", "everyMs", "cron", "timeZone"] as const).every((key) => before[key] === after[key]);
}

function keepsAnchor(before: Rule, after: Rule): boolean {
  const bothFollowClock = calendarSteps[before.type] !== undefined && calendarSteps[after.type] !== undefined;
  return bothFollowClock || (elapsedStep(before) !== undefined && elapsedStep(after) !== undefined);
}
