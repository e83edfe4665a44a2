import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Consumer } from "../contracts/broker.js";
import type { ClusterStatus } from "../contracts/store.js";
import { stoppedCluster } from "../client/stopped-cluster.js";
import { Heartbeat } from "./heartbeat.js";
import { Outage } from "./outage.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const ignore = (): void => {};
const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

it.each([1_500, 15_000, 600_000])(
  "publishes the status three times in the time that it is kept for, with a lease of %i ms (P326, P327)",
  async (leaseMs) => {
    const beats: { readonly at: number; readonly ttlMs: number }[] = [];
    const start = Date.now();
    const heartbeat = new Heartbeat({ renew: async () => {} } as unknown as Consumer, {
      store: {
        beat: async (_: ClusterStatus, ttlMs: number) => void beats.push({ at: Date.now() - start, ttlMs }),
        inbox: async () => [],
        watch: () => ignore,
      },
      clusterId: "c1",
      leaseMs,
      outage: new Outage(logger, leaseMs, Math.random),
      status: () => stoppedCluster("c1", 0),
      running: () => [],
      ordered: ignore,
      leaseLost: ignore,
      fatal: (error) => expect.unreachable(String(error)),
    });

    await heartbeat.start();
    await vi.advanceTimersByTimeAsync(leaseMs);
    heartbeat.stop();
    await vi.advanceTimersByTimeAsync(leaseMs);

    const third = leaseMs / 3;
    expect(beats).toEqual([0, 1, 2, 3].map((turn) => ({ at: turn * third, ttlMs: leaseMs })));
  },
);
