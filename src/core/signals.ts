import type { FinishedTask, Fn, OutgoingTask, Signal } from "./task-types.js";

/** Handlers may be async, but none holds up a task for longer than this, in milliseconds. */
const handlerLimitMs = 5_000;

type Handler = (...args: never[]) => unknown;

/** A signal that this package sends. Users see the {@link Signal} side only. */
export interface SendableSignal<A extends readonly unknown[]> extends Signal<A> {
  readonly connected: () => boolean;
  /**
   * Calls every handler in order. Never rejects: what a handler throws, or that it took too long, goes to `report`.
   * Returns `undefined` without a promise when no handler is connected, for hot paths.
   */
  readonly send: (report: (error: unknown) => void, ...args: A) => Promise<void> | undefined;
}

interface Signals {
  readonly preEnqueue: SendableSignal<[task: OutgoingTask]>;
  readonly postSpawn: SendableSignal<[workerName: string]>;
  readonly preExecute: SendableSignal<[func: Fn | undefined, task: OutgoingTask]>;
  readonly postExecuteInWorker: SendableSignal<[func: Fn | undefined, task: FinishedTask]>;
  readonly postExecute: SendableSignal<[task: FinishedTask]>;
}

const key = Symbol.for("qluster.signals.1");
const globals = globalThis as typeof globalThis & { [key]?: Signals };

/** Process-wide, as in Django. Counterpart in Django Q2: `django_q.signals`. */
export const sendableSignals: Signals = (globals[key] ??= {
  preEnqueue: signal(),
  postSpawn: signal(),
  preExecute: signal(),
  postExecuteInWorker: signal(),
  postExecute: signal(),
});

function signal<A extends readonly unknown[]>(): SendableSignal<A> {
  const handlers = new Set<Handler>();
  const disconnect = (handler: (...args: A) => unknown): boolean => handlers.delete(handler);

  return {
    connect(handler) {
      handlers.add(handler);
      return () => void disconnect(handler);
    },
    disconnect,
    connected: () => handlers.size > 0,
    send: (report, ...args) => (handlers.size === 0 ? undefined : callAll([...handlers], args, report)),
  };
}

async function callAll(
  handlers: readonly Handler[],
  args: readonly unknown[],
  report: (error: unknown) => void,
): Promise<void> {
  for (const handler of handlers) {
    try {
      const answer = (handler as (...args: readonly unknown[]) => unknown)(...args);
      if (answer instanceof Promise) await atMost(handlerLimitMs, answer);
    } catch (error) {
      report(error);
    }
  }
}

async function atMost(ms: number, answer: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`A signal handler took longer than ${ms} ms; its task went on.`)), ms);
  });
  try {
    await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
