import { EventEmitter } from "node:events";
import { expect, it } from "vitest";
import type { ClusterStatus } from "../contracts/store.js";
import { stopOnSignals } from "./stop-on-signals.js";

function watching(running: number) {
  const said: string[] = [];
  const source = new EventEmitter();
  let stops = 0;
  const cluster = {
    stat: () => ({ running: Array.from({ length: running }) }) as unknown as ClusterStatus,
    stop: async () => {
      stops += 1;
      return { unstored: 0, released: 0 };
    },
  };
  const stop = stopOnSignals(cluster, { say: (line) => void said.push(line), graceMs: 30_000, source });
  return { stop, source, said, stops: () => stops };
}

it.each(["SIGINT", "SIGTERM", "SIGHUP"])(
  "a first %s stops gracefully, a second signal hurries (P290, P293, P295)",
  (signal) => {
    const { stop, source, said, stops } = watching(3);

    source.emit(signal, signal);
    source.emit("SIGTERM", "SIGTERM");

    expect(stops()).toBe(2);
    expect(stop.asked()).toBe(true);
    expect(said).toEqual([
      `${signal}: stopping. 3 running tasks may take 30s to finish; a second signal stops at once.`,
      "SIGTERM: stopping at once. What runs now is given back and runs again.",
    ]);
  },
);

it("a signal speaks of no running tasks when there are none", () => {
  const { source, said } = watching(0);

  source.emit("SIGTERM", "SIGTERM");

  expect(said).toEqual(["SIGTERM: stopping."]);
});

it("signals do afterwards what they did before", () => {
  const { stop, source, stops } = watching(0);

  stop[Symbol.dispose]();
  source.emit("SIGTERM", "SIGTERM");

  expect(source.listenerCount("SIGTERM")).toBe(0);
  expect(stops()).toBe(0);
  expect(stop.asked()).toBe(false);
});
