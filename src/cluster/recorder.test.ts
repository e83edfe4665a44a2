import { describe, expect, it, vi } from "vitest";
import { memoryBackend } from "../backends/memory/index.js";
import type { Flows } from "../contracts/flows.js";
import type { Settlement, Store } from "../contracts/store.js";
import type { PlannedFlow } from "../core/schedule/flow-plan.js";
import { StoreUnavailableError } from "../errors.js";
import { Outage } from "./outage.js";
import { Recorder } from "./recorder.js";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const away = new StoreUnavailableError("locked");

function settlement(id: string): Settlement {
  return { receipt: 1, id, attempt: null, outcome: { to: "succeeded", result: "", keep: true }, followUps: [] };
}

const planned: PlannedFlow = {
  flow: {
    id: "flow",
    kind: "chain",
    queue: "q",
    envelope: "",
    func: "chain",
    name: null,
    group: null,
    steps: [0],
    stops: true,
    expiresMs: null,
    queued: true,
    carryBytes: 1,
  },
  members: [],
};

/** A store that opens nothing. */
function storing(finish: Store["finish"]): Pick<Store, "finish" | "submit" | "capabilities"> {
  const { capabilities } = memoryBackend().store;
  return { finish, capabilities, submit: async () => [] };
}

function recorderOn(finish: Store["finish"], fatal: (error: unknown) => void = () => {}): Recorder {
  return new Recorder(
    { store: storing(finish), cache: { set: async () => {} } },
    new Outage(silent, 300, () => 0),
    fatal,
  );
}

describe("Recorder", () => {
  it("writes what ends in one turn of the loop in one batch (P312)", async () => {
    const finish = vi.fn<Store["finish"]>(async (_, batch) => batch.map(() => true));
    const recorder = recorderOn(finish);

    for (let place = 0; place < 100; place += 1) recorder.record("c1", settlement(String(place)), () => {});
    await recorder.drained();

    expect(finish).toHaveBeenCalledTimes(1);
    expect(finish.mock.calls[0]?.[1]).toHaveLength(100);
  });

  it("tells which results were refused because the lease had ended (P363)", async () => {
    const recorder = recorderOn(async (_, batch) => batch.map(({ id }) => id !== "late"));
    const stored: Record<string, boolean> = {};

    for (const id of ["in-time", "late"]) recorder.record("c1", settlement(id), (was) => void (stored[id] = was));
    await recorder.drained();

    expect(stored).toEqual({ "in-time": true, late: false });
  });

  it("says after each write that fewer results wait, so that a cluster that had too many takes messages again", async () => {
    const sizes: number[] = [];
    const finish: Store["finish"] = async (_, batch) => batch.map(() => true);
    const recorder: Recorder = new Recorder(
      { store: storing(finish), cache: { set: async () => {} } },
      new Outage(silent, 300, () => 0),
      () => {},
      () => sizes.push(recorder.size),
    );

    for (let place = 0; place < 556; place += 1) recorder.record("c1", settlement(String(place)), () => {});
    await recorder.drained();

    expect(sizes).toEqual([44, 0]);
  });

  it("keeps results while the store is away, and writes them first on return (P113)", async () => {
    const written: string[] = [];
    let failures = 2;
    const recorder = recorderOn(async (_, batch) => {
      if (failures > 0) {
        failures -= 1;
        throw away;
      }
      written.push(...batch.map(({ id }) => id));
      return batch.map(() => true);
    });

    recorder.record("c1", settlement("first"), () => {});
    await Promise.resolve();
    recorder.record("c1", settlement("second"), () => {});
    await recorder.drained();

    expect(written).toEqual(["first", "second"]);
    expect(recorder.size).toBe(0);
  });

  it("never mixes two holds in one write", async () => {
    const consumers: string[] = [];
    const recorder = recorderOn(async (consumer, batch) => {
      consumers.push(`${consumer}:${batch.length}`);
      return batch.map(() => true);
    });

    recorder.record("old", settlement("a"), () => {});
    recorder.record("new", settlement("b"), () => {});
    recorder.record("new", settlement("c"), () => {});
    await recorder.drained();

    expect(consumers).toEqual(["old:1", "new:2"]);
  });

  it("says how many results are given up", async () => {
    const recorder = recorderOn(async () => {
      throw away;
    });
    recorder.record("c1", settlement("a"), () => {});
    recorder.record("c1", settlement("b"), () => {});

    expect(recorder.abandon()).toBe(2);
  });

  it("hands on an error that no retry mends", async () => {
    const fatal = vi.fn();
    const broken = new Error("replaced");
    const recorder = recorderOn(async () => {
      throw broken;
    }, fatal);

    recorder.record("c1", settlement("a"), () => {});
    await recorder.drained();

    expect(fatal).toHaveBeenCalledWith(broken);
  });

  it("opens the flow of a schedule's slot before it ends the message, and again when the store was away (P200, P217)", async () => {
    const { store } = memoryBackend();
    const calls: string[] = [];
    let failures = 1;
    const finish: Store["finish"] = async (_, batch) => {
      calls.push(`finish ${batch[0]?.outcome.to}`);
      return batch.map(() => true);
    };
    const open: Flows["open"] = async ({ id }) => {
      calls.push(`open ${id}`);
      if (failures-- > 0) throw away;
    };
    const outage = new Outage(silent, 300, () => 0);
    const recorder = new Recorder(
      { store: { ...store, finish, flows: { ...store.flows!, open } }, cache: { set: async () => {} } },
      outage,
      () => {},
    );

    recorder.record("c1", settlement("flow"), () => {}, { opens: planned });
    await recorder.drained();

    expect(calls).toEqual(["open flow", "open flow", "finish succeeded"]);
  });

  it("says that a flow has failed which the store cannot open, and goes on (P200, P218)", async () => {
    const finish = vi.fn<Store["finish"]>(async (_, batch) => batch.map(() => true));
    const recorder = recorderOn(finish);
    const ended: string[] = [];

    recorder.record("c1", settlement("flow"), (_, { outcome }) => void ended.push(outcome.to), { opens: planned });
    recorder.record("c1", settlement("other"), (_, { outcome }) => void ended.push(outcome.to));
    await recorder.drained();

    expect(ended).toEqual(["failed", "succeeded"]);
    expect(finish.mock.calls[0]?.[1][0]?.outcome).toMatchObject({
      error: { message: expect.stringContaining("keeps no chains") as string },
    });
  });
});
