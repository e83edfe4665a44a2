import type { ScheduleDefinition, StoredSchedule } from "../contracts/schedules.js";
import { checkArguments } from "../core/arguments.js";
import { encode } from "../core/codec.js";
import type { RuleInput } from "../core/schedule/check-rule.js";
import { inputOf, replaceRule } from "../core/schedule/edit-rule.js";
import { ruleOf } from "../core/schedule/fire.js";
import { argumentsOf, planOf, type FlowPlan } from "../core/schedule/flow-plan.js";
import type { Rule } from "../core/schedule/rule.js";
import type { TaskHeader } from "../core/task-header.js";
import { knownTarget } from "./enqueuer.js";
import { planFlowOptions, splitHeader } from "./flow-draft.js";
import { planRequest, type RequestPlan } from "./request-plan.js";
import { splitCleared, withoutCleared } from "./schedule-clear.js";
import { settingOf, type DraftHost } from "./schedule-draft.js";
import {
  argumentsBelong,
  asReceived,
  fullArguments,
  readScheduleOptions,
  withoutSlot,
  withKwargs,
  type ScheduleOptions,
} from "./schedule-options.js";
import { openSchedule, sealTarget, type OpenedSchedule, type SealedParts } from "./schedule-seal.js";
import { hookName } from "./target.js";

/** What is changed, and of what. */
interface Edit {
  readonly host: DraftHost;
  readonly schedule: StoredSchedule;
  readonly options: ScheduleOptions;
  readonly cleared: ReadonlySet<string>;
  readonly opened: OpenedSchedule;
  readonly intended: string | undefined;
}

/** The options and arguments after an edit; of the header what the edit has left or brought. */
interface EditedTarget {
  readonly plan: RequestPlan;
  readonly header: Omit<TaskHeader, "v" | "id" | "func" | "kind">;
  readonly args: readonly unknown[];
}

/**
 * A schedule with some of its parts changed.
 *
 * @param changes - As they were written; what is left out stays, and `null` clears.
 */
export async function editedSchedule(
  host: DraftHost,
  schedule: StoredSchedule,
  changes: unknown,
): Promise<{ readonly definition: ScheduleDefinition; readonly nextRun: number | null; readonly repeats: number }> {
  const { given, cleared } = splitCleared(changes);
  const options = readScheduleOptions(given);
  const before = ruleOf(schedule);
  const opened = openSchedule(host.enqueue, schedule);
  const kept = cleared.has("intendedDateKwarg") ? undefined : opened.header.intended;
  const edit: Edit = { host, schedule, options, cleared, opened, intended: options.intended ?? kept };
  const zone = options.timeZone ?? (cleared.has("timeZone") ? undefined : before.timeZone);
  const setting = await settingOf(host, zone);
  const input = editedInput(before, options.rule, cleared);
  const { rule, nextRun } = replaceRule(before, input, schedule.nextRun, setting);
  const target = opened.header.flow === undefined ? await editedTask(edit) : editedFlow(edit);
  const name = options.name ?? (cleared.has("name") ? null : schedule.name);
  const cluster = options.cluster ?? (cleared.has("cluster") ? null : schedule.cluster);
  const sealed = sealedParts(edit, target, name, cluster);
  const definition: ScheduleDefinition = {
    name,
    cluster,
    func: schedule.func,
    rule: JSON.stringify(rule),
    target: JSON.stringify(sealTarget(host.enqueue, schedule.id, schedule.func, sealed, target.args)),
    declaredBy: schedule.declaredBy,
    fingerprint: "edited by hand",
  };
  return { definition, nextRun, repeats: options.repeats ?? (cleared.has("repeats") ? -1 : schedule.repeats) };
}

async function editedTask({ host, schedule, options, cleared, opened, intended }: Edit): Promise<EditedTarget> {
  const { definition: task } = knownTarget(host.enqueue, schedule.func);
  const isCalled = ["args", "kwargs", "intendedDateKwarg"].some((option) => cleared.has(option));
  const isGiven = options.args !== undefined || options.kwargs !== undefined || options.intended !== undefined;
  const args = isCalled || isGiven ? editedArguments(opened.args, options, cleared, intended) : opened.args;
  if (task !== undefined) await checkArguments(task, asReceived(args, intended, host.now()));
  const plan = planRequest(options.task);
  const { id: _, v: __, kind: ___, ...kept } = withoutCleared(opened.header, cleared);
  return { plan, args, header: { ...kept, ...plan.header } };
}

function editedArguments(
  before: readonly unknown[],
  { args, kwargs }: ScheduleOptions,
  cleared: ReadonlySet<string>,
  intended: string | undefined,
): readonly unknown[] {
  const own = args ?? (cleared.has("args") ? [] : before);
  const bare = cleared.has("kwargs") || kwargs !== undefined ? withKwargs(own, kwargs, args === undefined) : own;
  const plain = cleared.has("intendedDateKwarg") ? withoutSlot(bare) : bare;
  return fullArguments(plain, undefined, intended);
}

/** Links and elements stay as they are, but for the options that they have from the schedule. */
function editedFlow({ options, cleared, opened, intended }: Edit): EditedTarget {
  argumentsBelong({
    args: cleared.has("args") ? [] : options.args,
    kwargs: cleared.has("kwargs") ? {} : options.kwargs,
  });
  const before = planOf(opened.args);
  const planned = planFlowOptions(options.task);
  const { own, defaults } = splitHeader(planned.header);
  const plan: FlowPlan = {
    ...before,
    defaults: { ...withoutCleared(before.defaults, new Set([...cleared].filter(isMembers))), ...defaults },
    calls: before.calls.map(([request, text]) => {
      const args = argumentsOf([request, text]);
      const bare = cleared.has("intendedDateKwarg") ? withoutSlot(args) : args;
      return [request, encode(fullArguments(bare, undefined, intended), "args")] as const;
    }),
  };
  const {
    id: _,
    v: __,
    kind: ___,
    ...kept
  } = withoutCleared(
    opened.header,
    new Set([...cleared].filter((option) => !isMembers(option) || option === "priority")),
  );
  return { plan: planned, args: [plan], header: { ...kept, ...own } };
}

/** Options that a schedule hands on to the members of its flow; the flow itself has them for good, or not at all. */
function isMembers(option: string): boolean {
  return ["attempts", "ackFailure", "backoff", "priority", "save", "hookOn"].includes(option);
}

function sealedParts(
  { host, schedule, options, cleared, opened: { target, header: old }, intended }: Edit,
  { plan, header }: EditedTarget,
  name: string | null,
  cluster: string | null,
): SealedParts {
  const usual = old.group === (schedule.name ?? schedule.id) || cleared.has("group");
  const group = plan.header.group ?? (usual ? (name ?? schedule.id) : old.group) ?? schedule.id;
  const keepsQueue = !cleared.has("queue") && !cleared.has("cluster");
  const { funcs, size } = target;
  return {
    header: {
      ...header,
      ...(plan.hook === undefined ? {} : { hook: hookName(plan.hook) }),
      group,
      ...(intended === undefined ? {} : { intended }),
    },
    queue: options.cluster ?? plan.queue ?? (keepsQueue ? target.queue : (cluster ?? host.config.name)),
    expiresMs: plan.expiresMs ?? (cleared.has("expires") ? null : target.expiresMs),
    unique: uniqueOf(schedule.func, plan) ?? (cleared.has("unique") ? null : target.unique),
    delayMs: options.task.delay === undefined && !cleared.has("delay") ? target.delayMs : plan.delayMs,
    shape: { kind: target.kind, ...(funcs === undefined ? {} : { funcs }), ...(size === undefined ? {} : { size }) },
  };
}

function uniqueOf(func: string, { unique }: RequestPlan): SealedParts["unique"] {
  return unique === null ? null : { ...unique, key: `${func}:${unique.key}` };
}

/** A new type brings its own fields. */
function editedInput(rule: Rule, changes: RuleInput, cleared: ReadonlySet<string>): RuleInput {
  const distance = changes.type === undefined && changes.every === undefined && changes.cron === undefined;
  const { minutes, every, cron, type, ...rest } = inputOf(rule);
  const before = { ...rest, ...(distance || changes.type === type ? { minutes, every, cron, type } : {}) };
  const left = Object.fromEntries(Object.entries(before).filter(([key]) => !cleared.has(key))) as RuleInput;
  return { ...left, ...changes };
}
