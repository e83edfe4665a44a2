/** Tells listeners that something has changed; many rings in one turn of the loop are heard once. */
export interface Bell {
  readonly ring: () => void;
  /** @returns A function that stops listening. */
  readonly listen: (heard: () => void) => () => void;
  /** Resolves at the next ring, after `ms` milliseconds, or when a signal aborts: whatever comes first. */
  readonly wait: (ms: number, signals: readonly (AbortSignal | undefined)[]) => Promise<void>;
}

export function bell(): Bell {
  const listeners = new Set<() => void>();
  let rung = false;

  const listen: Bell["listen"] = (heard) => {
    // A function of its own for each call, so that one listener may listen twice.
    const listener = (): void => heard();
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };

  return {
    listen,
    ring() {
      if (rung) return;
      rung = true;
      queueMicrotask(() => {
        rung = false;
        for (const listener of listeners) listener();
      });
    },
    wait: (ms, signals) =>
      new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          stop();
          for (const signal of signals) signal?.removeEventListener("abort", done);
          resolve();
        };
        // Node's longest timer is 2 ** 31 - 1 ms; the caller looks again anyway.
        const timer = setTimeout(done, Math.min(Math.ceil(ms), 2 ** 31 - 1));
        const stop = listen(done);
        for (const signal of signals) signal?.addEventListener("abort", done);
      }),
  };
}
