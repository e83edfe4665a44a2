import { describe, expect, it } from "vitest";
import type { HeldJob } from "./worker-slot.js";
import { describeExit, endsOfRemains } from "./worker-death.js";

const death = { worker: "host:7", now: 5_000, offset: 1_000 };
const killed = { code: null, signal: "SIGKILL" };

function held(abort: HeldJob["abort"] = null, startedAt: number | null = 3_000): HeldJob {
  const entry = { policy: { timeoutMs: 1_500 } } as HeldJob["entry"];
  return { entry, index: 1, expectedMs: 0, handedAt: 0, startedAt, abort, killAt: null };
}

function ends(running: HeldJob[], ended: HeldJob[] = []): unknown[] {
  return endsOfRemains({ running, ended }, killed, death).map(([, end]) => end);
}

describe("endsOfRemains", () => {
  it("charges a task that was alone, with the signal that ended its worker (P305)", () => {
    expect(ends([held()])).toEqual([
      {
        kind: "attempt",
        end: expect.objectContaining({
          ending: "died",
          startedAt: 4_000,
          stoppedAt: 5_000,
          worker: "host:7",
          error: expect.objectContaining({ message: "The worker died: signal SIGKILL." }),
        }),
      },
    ]);
  });

  it("charges nobody when several ran: each runs alone next", () => {
    const all = ends([held(), held()]);

    expect(all).toHaveLength(2);
    for (const end of all) expect(end).toMatchObject({ end: { ending: "released", suspect: true } });
  });

  it("releases a task that had ended without a report, and does not suspect it", () => {
    expect(ends([held()], [held(null, null)])[1]).toMatchObject({ end: { ending: "released", suspect: false } });
  });

  it.each([
    ["timeout", "timeout", /1.5 seconds.*did not give in/],
    ["cancelled", "cancelled", /cancelled/],
    ["stopped", "released", /stopped/],
  ] as const)("records a task that was killed for %s as %s", (abort, ending, message) => {
    expect(ends([held(abort)])).toEqual([
      {
        kind: "attempt",
        end: expect.objectContaining({
          ending,
          error: expect.objectContaining({ message: expect.stringMatching(message) }),
        }),
      },
    ]);
  });
});

it.each([
  [{ code: 3, signal: null }, "exit code 3"],
  [{ code: null, signal: "SIGKILL" }, "signal SIGKILL"],
  [{ code: null, signal: "SIGABRT" }, "signal SIGABRT, most likely out of memory"],
  [{ code: 134, signal: null }, "signal SIGABRT, most likely out of memory"],
])("puts %o into words", (exit, words) => {
  expect(describeExit(exit)).toBe(words);
});
