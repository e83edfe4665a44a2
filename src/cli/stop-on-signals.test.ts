import { EventEmitter } from "node:events";
import { expect, it } from "vitest";
import type { ClusterStatus } from "../contracts/store.js";
import { stopOnSignals } from "./stop-on-signals.js";

function clusterWith(running: number) {
  const said: string[] = [];
  const note = (message: string) => void said.push(message);
  const stops: number[] = [];
  const cluster = {
    stat: () => ({ running: Array.from({ length: running }) }) as unknown as ClusterStatus,
    stop: async () => {
      stops.push(stops.length);
      return { unstored: 0, released: 0 };
    },
  };
  return { cluster, stops, said, logger: { debug: note, info: note, warn: note, error: note } };
}

it.each(["SIGINT", "SIGTERM", "SIGHUP"])("a first %s stops gracefully, a second one hurries (P290, P293)", (signal) => {
  const { cluster, stops, said, logger } = clusterWith(3);
  const source = new EventEmitter();
  using _ = stopOnSignals(cluster, logger, 30_000, source);

  source.emit(signal, signal);
  source.emit("SIGTERM", "SIGTERM");

  expect(stops).toHaveLength(2);
  expect(said).toEqual([
    `${signal}: 3 running tasks may take 30s to finish; a second signal stops at once.`,
    "SIGTERM: stopping at once. Tasks that run now are given back and run again.",
  ]);
});

it("signals do afterwards what they did before", () => {
  const { cluster, stops, logger } = clusterWith(0);
  const source = new EventEmitter();

  stopOnSignals(cluster, logger, 30_000, source)[Symbol.dispose]();
  source.emit("SIGTERM", "SIGTERM");

  expect(source.listenerCount("SIGTERM")).toBe(0);
  expect(stops).toHaveLength(0);
});
