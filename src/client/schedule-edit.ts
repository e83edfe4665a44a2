import type { ScheduleDefinition, StoredSchedule } from "../contracts/schedules.js";
import { checkArguments } from "../core/arguments.js";
import type { RuleInput } from "../core/schedule/check-rule.js";
import { inputOf, replaceRule } from "../core/schedule/edit-rule.js";
import { ruleOf } from "../core/schedule/fire.js";
import type { Rule } from "../core/schedule/rule.js";
import { knownTarget } from "./enqueuer.js";
import { planRequest } from "./request-plan.js";
import { asReceived, settingOf, type DraftHost } from "./schedule-draft.js";
import { fullArguments, readScheduleOptions } from "./schedule-options.js";
import { openSchedule, sealTarget, type SealedParts } from "./schedule-seal.js";
import { hookName } from "./target.js";

/**
 * A schedule with some of its parts changed.
 *
 * @param changes - As they were written; what is left out stays.
 */
export async function editedSchedule(
  host: DraftHost,
  schedule: StoredSchedule,
  changes: unknown,
): Promise<{ readonly definition: ScheduleDefinition; readonly nextRun: number | null; readonly repeats: number }> {
  const options = readScheduleOptions(changes);
  const before = ruleOf(schedule);
  const { header, args: oldArgs, target } = openSchedule(host.enqueue, schedule);
  const { definition: task } = knownTarget(host.enqueue, schedule.func);
  const setting = await settingOf(host, options.timeZone ?? before.timeZone);
  const { rule, nextRun } = replaceRule(before, editedInput(before, options.rule), schedule.nextRun, setting);
  const intended = options.intended ?? header.intended;
  const isCalled = options.args !== undefined || options.kwargs !== undefined || options.intended !== undefined;
  const args = isCalled ? fullArguments(options.args ?? oldArgs, options.kwargs, intended) : oldArgs;
  if (task !== undefined) await checkArguments(task, asReceived(args, intended, host.now()));
  const plan = planRequest(options.task);
  const name = options.name ?? schedule.name;
  const usual = header.group === (schedule.name ?? schedule.id);
  const { id: _, v: __, ...kept } = header;
  const sealed: SealedParts = {
    header: {
      ...kept,
      ...plan.header,
      ...(plan.hook === undefined ? {} : { hook: hookName(plan.hook) }),
      group: plan.header.group ?? (usual ? (name ?? schedule.id) : header.group) ?? schedule.id,
      ...(intended === undefined ? {} : { intended }),
    },
    queue: options.cluster ?? plan.queue ?? target.queue,
    expiresMs: plan.expiresMs ?? target.expiresMs,
    unique: plan.unique === null ? target.unique : { ...plan.unique, key: `${schedule.func}:${plan.unique.key}` },
    delayMs: options.task.delay === undefined ? target.delayMs : plan.delayMs,
  };
  const definition: ScheduleDefinition = {
    name,
    cluster: options.cluster ?? schedule.cluster,
    func: schedule.func,
    rule: JSON.stringify(rule),
    target: JSON.stringify(sealTarget(host.enqueue, schedule.id, schedule.func, sealed, args)),
    declaredBy: schedule.declaredBy,
    fingerprint: "edited by hand",
  };
  return { definition, nextRun, repeats: options.repeats ?? schedule.repeats };
}

/** A new type brings its own fields. */
function editedInput(rule: Rule, changes: RuleInput): RuleInput {
  const distance = changes.type === undefined && changes.every === undefined && changes.cron === undefined;
  const { minutes, every, cron, type, ...rest } = inputOf(rule);
  return { ...rest, ...(distance || changes.type === type ? { minutes, every, cron, type } : {}), ...changes };
}
