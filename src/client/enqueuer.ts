import type { Membership } from "../contracts/flows.js";
import type { NewTask } from "../contracts/store.js";
import { checkArguments } from "../core/arguments.js";
import { sealTask } from "../core/envelope.js";
import type { SealOptions } from "../core/envelope.js";
import { includesPrevious } from "../core/previous.js";
import type { HeaderBefore, TaskHeader } from "../core/task-header.js";
import { humanName } from "../core/ids.js";
import type { Keyring } from "../core/keyring.js";
import { nearest } from "../core/names.js";
import { taskNames } from "../core/registry.js";
import { sendableSignals } from "../core/signals.js";
import type { OutgoingTask } from "../core/task-types.js";
import { OptionError, UnknownTaskError } from "../errors.js";
import { quote } from "../core/quote.js";
import { newId } from "./random-ids.js";
import { planRequest, type RequestPlan } from "./request-plan.js";
import { hookName, resolveTarget, type ResolvedTarget } from "./target.js";

/** What all requests of one client have in common. */
export interface EnqueueHost {
  readonly keys: Keyring;
  /** Where tasks without `queue` go. */
  readonly queue: string;
  readonly seal: SealOptions;
  /** How long the cache keeps the results of tasks that do not say; `undefined`: their records do. */
  readonly cachedMs: number | null | undefined;
  /** `true` once `loadTasks` was called: then this process knows every name. */
  readonly knowsAll: () => boolean;
  readonly handlerFailed: (error: unknown) => void;
}

/** A request that only needs to be written. */
export interface Prepared {
  readonly task: NewTask;
  readonly header: TaskHeader;
  readonly sync: boolean | undefined;
  /** No module that this process has loaded defines it. */
  readonly unknown: boolean;
}

/** What a request is, when it is not one by itself. */
export interface PartOfFlow {
  readonly id: string;
  readonly member: Membership;
  /** The label, instead of the request's own. */
  readonly group: string | undefined;
  /** Of a link: what `previous()` stands for, if it is among the arguments. */
  readonly before?: HeaderBefore | undefined;
  /** Of an element of an iterable: what it returns is kept there, and nowhere else. */
  readonly element?: true | undefined;
}

/**
 * Everything that can be refused is refused here, before a write: options, names, arguments. A promise only where the
 * application makes it one, by a schema or a `preEnqueue` handler that is async.
 */
export function prepare(
  host: EnqueueHost,
  target: unknown,
  args: readonly unknown[],
  part?: PartOfFlow,
): Prepared | Promise<Prepared> {
  const resolved = knownTarget(host, target);
  if (sendableSignals.preEnqueue.connected()) return announced(host, resolved, args, part);
  return checked({ host, resolved, id: part?.id ?? newId(), args, plan: resolved.plan, part });
}

interface Request {
  readonly host: EnqueueHost;
  readonly resolved: ResolvedTarget;
  readonly id: string;
  readonly args: readonly unknown[];
  readonly plan: RequestPlan;
  readonly part: PartOfFlow | undefined;
}

/** What a verb's first argument stands for. @throws {UnknownTaskError} where all names are known and this is none. */
export function knownTarget(host: EnqueueHost, target: unknown): ResolvedTarget {
  const resolved = resolveTarget(target);
  const { definition, func } = resolved;
  if (definition === undefined && !resolved.open && host.knowsAll()) {
    throw new UnknownTaskError(func, nearest(func, taskNames()), `For a task of another program use ref("${func}").`);
  }
  return resolved;
}

async function announced(
  host: EnqueueHost,
  resolved: ResolvedTarget,
  args: readonly unknown[],
  part: PartOfFlow | undefined,
): Promise<Prepared> {
  const id = part?.id ?? newId();
  const given = resolved.plan.header.name ?? humanName(id);
  const outgoing: OutgoingTask = {
    id,
    name: given,
    func: resolved.func,
    args: [...args],
    options: { ...resolved.options },
  };
  await sendableSignals.preEnqueue.send(host.handlerFailed, outgoing);
  if (!Array.isArray(outgoing.args)) {
    throw new OptionError(`A preEnqueue handler left ${quote(outgoing.args)} as the arguments; expected an array.`);
  }
  const options = outgoing.name === given ? outgoing.options : { ...outgoing.options, taskName: outgoing.name };
  return await checked({ host, resolved, id, args: outgoing.args, plan: planRequest(options), part });
}

function checked(request: Request): Prepared | Promise<Prepared> {
  const { definition } = request.resolved;
  // What the schema makes of the arguments is the worker's; what travels is what was given, so that it converts once.
  // What `previous()` will be, only the worker can check.
  if (definition?.input === undefined || includesPrevious(request.args)) return sealed(request);
  const answer = checkArguments(definition, request.args);
  return answer instanceof Promise ? answer.then(() => sealed(request)) : sealed(request);
}

function sealed({ host, resolved: { func, definition }, id, args, plan, part }: Request): Prepared {
  if (part !== undefined) checkMember(func, plan, part.element === true);
  const queue = plan.queue ?? host.queue;
  const own = headerOf(id, func, plan, host.cachedMs);
  const header = part === undefined ? own : headerOfPart(own, part, args);
  const { unique } = plan;
  const task: NewTask = {
    id,
    queue,
    envelope: sealTask(host.keys, queue, header, args, host.seal),
    func,
    name: header.name ?? null,
    group: header.group ?? null,
    kind: "task",
    parent: null,
    priority: header.priority ?? 0,
    delayMs: plan.delayMs,
    dueAt: plan.runAt,
    expiresMs: plan.expiresMs,
    unique: unique === null ? null : { ...unique, key: `${func}:${unique.key}` },
    ...memberOf(part, plan),
  };
  return { task, header, sync: plan.sync, unknown: definition === undefined };
}

function memberOf(part: PartOfFlow | undefined, { batch }: RequestPlan): Pick<NewTask, "member"> {
  if (part !== undefined) return { member: part.member };
  return batch === undefined ? {} : { member: { flow: batch, place: null, run: 0 } };
}

/** @throws {OptionError} for what cannot hold for a member of a flow. */
export function checkMember(func: string, { unique, sync, batch }: RequestPlan, isElement: boolean): void {
  if (batch !== undefined) {
    throw new OptionError(
      `The option batch of ${func} cannot hold here: a task belongs to one chain, iterable or batch.`,
    );
  }
  if (unique !== null) {
    throw new OptionError(
      `The option unique (${quote(unique.key)}) of ${func} cannot hold here: a member that is not enqueued would keep its chain, ` +
        "iterable or batch waiting for ever. Leave it out.",
    );
  }
  if (sync === true && !isElement) {
    throw new OptionError(
      `The option sync of ${func} cannot hold for one member alone. Give it to the verb: asyncChain(links, { sync: true }).`,
    );
  }
}

function headerOfPart(own: TaskHeader, part: PartOfFlow, args: readonly unknown[]): TaskHeader {
  const { group, before, element } = part;
  // How long results are kept, the flow says; of an iterable, the label and the name are those of the record of all.
  const { cached: _cached, ...rest } = own;
  if (element === true) {
    const { group: _label, name: _name, ...header } = rest;
    return { ...header, member: true, save: false };
  }
  return {
    ...rest,
    member: true,
    ...(group === undefined ? {} : { group }),
    ...(before !== undefined && includesPrevious(args) ? { before } : {}),
  };
}

function headerOf(id: string, func: string, plan: RequestPlan, cachedMs: number | null | undefined): TaskHeader {
  const header: { -readonly [K in keyof TaskHeader]: TaskHeader[K] } = { v: 1, id, func, ...plan.header };
  if (cachedMs !== undefined && !plan.saysCached) header.cached = cachedMs;
  if (plan.hook !== undefined) header.hook = hookName(plan.hook);
  if (plan.delayMs > 0 || plan.runAt !== null) header.due = Math.max(Date.now() + plan.delayMs, plan.runAt ?? 0);
  return header;
}
