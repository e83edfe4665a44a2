import { Worker } from "node:worker_threads";
import type { Backend, BackendOptions } from "../contracts/backend.js";
import type { Consumer, ConsumeOptions, TakeOptions } from "../contracts/broker.js";
import type { Flows } from "../contracts/flows.js";
import type { Hold, Outbox } from "../contracts/outbox.js";
import type { Schedules } from "../contracts/schedules.js";
import { reviveError } from "./store-thread-errors.js";
import type { Answer, Call, CallTarget, OpenedCapabilities } from "./store-thread-protocol.js";
import { deliveryOf, settlementRow, type DeliveryRow } from "./thread-rows.js";

/**
 * A backend in a thread of its own. A synchronous driver waits for locks there, and the cluster's loop, with its deadlines
 * and heartbeats, goes on.
 */
export async function openInThread(scheme: string, options: BackendOptions): Promise<Backend> {
  const thread = new Worker(new URL("./store-thread-main.js", import.meta.url), { workerData: { scheme, options } });
  const line = new ThreadLine(thread);
  const capabilities = await line.open();

  return {
    broker: {
      ...line.proxy<Omit<Backend["broker"], "capabilities" | "consume">>("broker", brokerMethods),
      capabilities: capabilities.broker,
      consume: async (request: ConsumeOptions): Promise<Consumer> => line.consumer(request),
    },
    store: {
      ...line.proxy<Omit<Backend["store"], "capabilities" | "finish" | "watch" | "schedules" | "flows">>(
        "store",
        storeMethods,
      ),
      finish: async (consumer, settlements) =>
        (await line.call("store", "finish", [consumer, settlements.map(settlementRow)])) as boolean[],
      capabilities: capabilities.store,
      schedules: {
        ...line.proxy<Omit<Schedules, "watch">>("schedules", scheduleMethods),
        watch: (changed) => line.watch(changed),
      },
      flows: line.proxy<Flows>("flows", flowMethods),
      watch: (changed) => line.watch(changed),
    },
    cache: {
      ...line.proxy<Omit<Backend["cache"], "capabilities">>("cache", cacheMethods),
      capabilities: capabilities.cache,
    },
    schema: line.proxy<Backend["schema"]>("schema", ["status", "migrate", "sql"]),
    ...(capabilities.outbox ? { outbox: outboxOver(line) } : {}),
    [Symbol.asyncDispose]: async () => {
      await line.call("thread", "close", []);
      await thread.terminate();
    },
  };
}

function outboxOver(line: ThreadLine): Outbox {
  return {
    ...line.proxy<Omit<Outbox, "hold">>("outbox", ["sent"]),
    hold: async (request) => await line.hold(request),
  };
}

const brokerMethods = [
  "enqueue",
  "queueSize",
  "lockSize",
  "list",
  "purge",
  "deleteQueue",
  "ping",
  "info",
] as const satisfies readonly (keyof Backend["broker"])[];

const storeMethods = [
  "submit",
  "saveFinished",
  "cancel",
  "get",
  "finished",
  "findByName",
  "attempts",
  "group",
  "countGroup",
  "deleteGroup",
  "report",
  "notes",
  "beat",
  "clusters",
  "tell",
  "inbox",
  "counts",
  "throughput",
  "clean",
  "now",
] as const satisfies readonly (keyof Backend["store"])[];

const flowMethods = [
  "open",
  "close",
  "resume",
  "find",
  "members",
  "outcomes",
] as const satisfies readonly (keyof Flows)[];

const scheduleMethods = [
  "insert",
  "change",
  "find",
  "list",
  "due",
  "runs",
  "counts",
] as const satisfies readonly (keyof Schedules)[];

const cacheMethods = [
  "get",
  "set",
  "setIf",
  "delete",
  "addMembers",
  "members",
] as const satisfies readonly (keyof Backend["cache"])[];

const consumerMethods = ["acknowledge", "release", "renew", "close"] as const satisfies readonly (keyof Consumer)[];

const holdMethods = [...consumerMethods, "begin", "unsent", "missing"] as const satisfies readonly (keyof Hold)[];

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Calls over a message port: an id for each, and its answer whenever it comes. */
class ThreadLine {
  readonly #thread: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #watchers = new Set<() => void>();
  #lastId = 0;
  #ended: Error | undefined;

  constructor(thread: Worker) {
    this.#thread = thread;
    thread.on("message", (answer: Answer) => this.#receive(answer));
    thread.on("error", (error) => this.#failAll(error));
    thread.on("exit", () => this.#failAll(new Error("The thread of the store has ended.")));
  }

  /** A thread that cannot open must not keep the process alive. */
  async open(): Promise<OpenedCapabilities> {
    try {
      return (await this.call("thread", "open", [])) as OpenedCapabilities;
    } catch (error) {
      await this.#thread.terminate();
      throw error;
    }
  }

  async call(target: CallTarget, method: string, args: readonly unknown[], signal?: AbortSignal): Promise<unknown> {
    if (this.#ended !== undefined) throw this.#ended;
    const id = (this.#lastId += 1);
    const abort = (): void => this.#post({ id, abort: true });
    try {
      return await new Promise((resolve, reject) => {
        this.#pending.set(id, { resolve, reject });
        this.#post({ id, target, method, args });
        if (signal?.aborted === true) abort();
        else signal?.addEventListener("abort", abort, { once: true });
      });
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what a thread answers is checked nowhere else
  proxy<T>(target: CallTarget, methods: readonly string[]): T {
    const calls = methods.map((method) => [method, (...args: unknown[]) => this.call(target, method, args)]);
    return Object.fromEntries(calls) as T;
  }

  async consumer(request: ConsumeOptions): Promise<Consumer> {
    const { handle, id } = (await this.call("broker", "consume", [request])) as { handle: number; id: string };
    const target: CallTarget = `consumer:${handle}`;
    return {
      ...this.proxy<Omit<Consumer, "id" | "take">>(target, consumerMethods),
      id,
      take: async ({ signal, ...options }: TakeOptions) =>
        ((await this.call(target, "take", [options], signal)) as DeliveryRow[]).map(deliveryOf),
    };
  }

  async hold(request: ConsumeOptions): Promise<Hold> {
    const { handle, id } = (await this.call("outbox", "hold", [request])) as { handle: number; id: string };
    return { ...this.proxy<Omit<Hold, "id">>(`consumer:${handle}`, holdMethods), id };
  }

  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => void this.#watchers.delete(changed);
  }

  #post(call: Call): void {
    this.#thread.postMessage(call);
  }

  #receive(answer: Answer): void {
    if ("changed" in answer) {
      for (const changed of this.#watchers) changed();
      return;
    }
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if ("error" in answer) pending?.reject(reviveError(answer.error));
    else pending?.resolve(answer.value);
  }

  #failAll(error: Error): void {
    this.#ended ??= error;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}
