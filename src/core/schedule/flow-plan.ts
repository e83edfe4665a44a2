import type { FlowKind, NewFlow } from "../../contracts/flows.js";
import type { NewTask } from "../../contracts/store.js";
import { EnvelopeError, TooLargeError } from "../../errors.js";
import { decode } from "../codec.js";
import { sealTask, type OpenedTask, type SealOptions } from "../envelope.js";
import { memberId } from "../flow.js";
import type { Keyring } from "../keyring.js";
import { includesPrevious } from "../previous.js";
import type { HeaderBefore, HeaderFlow, TaskHeader } from "../task-header.js";

/** What options alone decide of a member. */
export type MemberHeader = Omit<
  TaskHeader,
  "v" | "id" | "func" | "kind" | "parent" | "due" | "intended" | "before" | "flow" | "member" | "each" | "cached"
>;

/** One task that occurs in a flow, with its options. */
export interface PlannedRequest {
  readonly func: string;
  /** `null`: the queue of the flow. */
  readonly queue: string | null;
  readonly header: MemberHeader;
  readonly delayMs: number;
  readonly expiresMs: number | null;
}

/** The flow that each slot of a schedule opens: sealed, as the only argument of the schedule's target. */
export interface FlowPlan {
  readonly kind: FlowKind;
  /** How many members each step has. */
  readonly steps: readonly number[];
  /** Of a chain: the steps that are a `parallel([...])`. */
  readonly parallel: readonly number[];
  readonly continues: boolean;
  readonly expiresMs: number;
  readonly onSuccess?: string;
  readonly onFailure?: string;
  readonly each?: string;
  /** For members that say nothing of their own. */
  readonly defaults: MemberHeader;
  readonly requests: readonly PlannedRequest[];
  /** The members by place: which request, and the arguments as `encode` wrote them. */
  readonly calls: readonly (readonly [request: number, args: string])[];
}

/** What a store needs to open a flow. */
export interface PlannedFlow {
  readonly flow: NewFlow;
  readonly members: readonly NewTask[];
}

export interface PlanHost {
  readonly keys: Keyring;
  readonly seal: SealOptions;
  readonly maxResultBytes: number;
}

/** A member's place, with all that sealing it takes. */
interface Place {
  readonly flow: string;
  readonly place: number;
  readonly queue: string;
  readonly before: HeaderBefore | undefined;
}

/** @throws {EnvelopeError} when the sealed target of a schedule has no plan in it. */
export function planOf(args: readonly unknown[]): FlowPlan {
  const [plan] = args;
  if (typeof plan === "object" && plan !== null && "calls" in plan) return plan as FlowPlan;
  throw new EnvelopeError("unreadable", "The sealed target of a schedule does not say what it opens.");
}

/** The arguments of a member as they were given. */
export function argumentsOf(call: FlowPlan["calls"][number] | undefined): unknown[] {
  const args = decode(call?.[1] ?? "[]");
  return Array.isArray(args) ? (args as unknown[]) : [];
}

/** What to open for one slot: sealed here and now, so that it is a flow like any other. Called twice, it gives the same ids. */
export function openPlan(host: PlanHost, queue: string, { header, args }: OpenedTask): PlannedFlow {
  const plan = planOf(args);
  const members: NewTask[] = [];
  let before: HeaderBefore | undefined;
  for (const [step, width] of plan.steps.entries()) {
    const from = members.length;
    for (let place = from; place < from + width; place++) {
      members.push(sealMember(host, plan, header, { flow: header.id, place, queue, before }));
    }
    const parallel = plan.parallel.includes(step);
    before = { flow: header.id, from, to: members.length, parallel, continues: plan.continues };
  }
  return { flow: newFlow(host, queue, header, plan), members };
}

function sealMember(
  host: PlanHost,
  plan: FlowPlan,
  header: TaskHeader,
  { flow, place, queue, before }: Place,
): NewTask {
  const call = plan.calls[place];
  const request = plan.requests[call?.[0] ?? 0];
  if (request === undefined) throw new EnvelopeError("unreadable", `The flow of a schedule has no member ${place}.`);
  const args = withSlot(argumentsOf(call), header);
  const id = memberId(flow, place, 0);
  const own = headerOf(plan, header, request);
  const isAfter = before !== undefined && includesPrevious(args);
  const sealed: TaskHeader = { v: 1, id, func: request.func, ...own, ...(isAfter ? { before } : {}) };
  const target = request.queue ?? queue;
  return {
    id,
    queue: target,
    envelope: sealTask(host.keys, target, sealed, args, host.seal),
    func: request.func,
    name: own.name ?? null,
    group: own.group ?? null,
    kind: "task",
    parent: null,
    priority: own.priority ?? 0,
    delayMs: request.delayMs,
    dueAt: null,
    expiresMs: request.expiresMs,
    unique: null,
    member: { flow, place: plan.kind === "batch" ? null : place, run: 0 },
  };
}

function headerOf(
  { kind, each, defaults }: FlowPlan,
  { due, group }: TaskHeader,
  request: PlannedRequest,
): Omit<TaskHeader, "v" | "id" | "func"> {
  const member = { ...defaults, ...request.header, member: true as const, ...(due === undefined ? {} : { due }) };
  if (kind !== "iter") return { ...member, ...(group === undefined ? {} : { group }), ...(each ? { each } : {}) };
  // Of an iterable, label and name are those of the record of all.
  const { group: _label, name: _name, ...element } = member;
  return { ...element, save: false };
}

/** The slot under the name that was asked for, in the last argument. */
function withSlot(args: unknown[], { intended, due = 0 }: TaskHeader): unknown[] {
  if (intended === undefined) return args;
  const last = args.at(-1) as Readonly<Record<string, unknown>> | undefined;
  return [...args.slice(0, -1), { ...last, [intended]: new Date(due).toISOString() }];
}

function newFlow(host: PlanHost, queue: string, header: TaskHeader, plan: FlowPlan): NewFlow {
  const { id, func, group, hook, parent, due } = header;
  const { kind, steps, continues, expiresMs } = plan;
  const name = kind === "batch" ? group : header.name;
  const record: TaskHeader = {
    v: 1,
    id,
    func,
    ...(name === undefined ? {} : { name }),
    ...(group === undefined ? {} : { group }),
    ...(hook === undefined ? {} : { hook }),
    ...(parent === undefined ? {} : { parent }),
    ...(due === undefined ? {} : { due }),
    flow: recordFlow(plan),
  };
  return {
    id,
    kind,
    queue,
    envelope: sealRecord(host, queue, record, plan),
    func,
    name: name ?? null,
    group: group ?? null,
    // Of an iterable, the store is told when all of them were submitted.
    steps: kind === "iter" ? [] : steps,
    stops: kind === "chain" && !continues,
    expiresMs,
    queued: true,
    carryBytes: host.maxResultBytes,
  };
}

/** The flow's own part of its record's header. */
export function recordFlow({ kind, steps, parallel, onSuccess, onFailure }: FlowPlan): HeaderFlow {
  const wide = parallel.map((step) => [step, steps[step] ?? 0]);
  return {
    kind,
    ...(wide.length === 0 ? {} : { parallel: Object.fromEntries(wide) as Record<string, number> }),
    ...(kind === "batch" ? { size: steps[0] ?? 0 } : {}),
    ...(onSuccess === undefined ? {} : { onSuccess }),
    ...(onFailure === undefined ? {} : { onFailure }),
  };
}

/** With what it was opened for as the arguments of its record, if that is not too large. */
function sealRecord({ keys, seal }: PlanHost, queue: string, record: TaskHeader, plan: FlowPlan): string {
  const args =
    plan.kind === "chain"
      ? plan.calls.map(([request]) => plan.requests[request]?.func ?? "")
      : plan.kind === "iter"
        ? plan.calls.map(argumentsOf)
        : [];
  try {
    return sealTask(keys, queue, record, args, seal);
  } catch (error) {
    if (!(error instanceof TooLargeError)) throw error;
    return sealTask(keys, queue, record, [], seal);
  }
}
