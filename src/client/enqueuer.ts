import type { NewTask } from "../contracts/store.js";
import { checkArguments } from "../core/arguments.js";
import { sealTask } from "../core/envelope.js";
import type { SealOptions } from "../core/envelope.js";
import type { TaskHeader } from "../core/task-header.js";
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

/**
 * Everything that can be refused is refused here, before a write: options, names, arguments. A promise only where the
 * application makes it one, by a schema or a `preEnqueue` handler that is async.
 */
export function prepare(host: EnqueueHost, target: unknown, args: readonly unknown[]): Prepared | Promise<Prepared> {
  const resolved = knownTarget(host, target);
  const id = newId();
  if (sendableSignals.preEnqueue.connected()) return announced(host, resolved, id, args);
  return checked(host, resolved, id, args, resolved.plan);
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
  id: string,
  args: readonly unknown[],
): Promise<Prepared> {
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
  return await checked(host, resolved, id, outgoing.args, planRequest(options));
}

function checked(
  host: EnqueueHost,
  resolved: ResolvedTarget,
  id: string,
  args: readonly unknown[],
  plan: RequestPlan,
): Prepared | Promise<Prepared> {
  // What the schema makes of the arguments is the worker's; what travels is what was given, so that it converts once.
  const { definition } = resolved;
  const answer = definition?.input === undefined ? args : checkArguments(definition, args);
  if (answer instanceof Promise) return answer.then(() => sealed(host, resolved, id, args, plan));
  return sealed(host, resolved, id, args, plan);
}

function sealed(
  host: EnqueueHost,
  { func, definition }: ResolvedTarget,
  id: string,
  args: readonly unknown[],
  plan: RequestPlan,
): Prepared {
  const queue = plan.queue ?? host.queue;
  const header = headerOf(id, func, plan);
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
  };
  return { task, header, sync: plan.sync, unknown: definition === undefined };
}

function headerOf(id: string, func: string, plan: RequestPlan): TaskHeader {
  const header: { -readonly [K in keyof TaskHeader]: TaskHeader[K] } = { v: 1, id, func, ...plan.header };
  if (plan.hook !== undefined) header.hook = hookName(plan.hook);
  if (plan.delayMs > 0 || plan.runAt !== null) header.due = Math.max(Date.now() + plan.delayMs, plan.runAt ?? 0);
  return header;
}
