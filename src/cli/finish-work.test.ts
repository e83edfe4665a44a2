import { describe, expect, it } from "vitest";
import { fakeTerminal } from "../../test/cli/fake-terminal.js";
import type { StopReport } from "../cluster/index.js";
import { type FinishableCluster, finishWork } from "./finish-work.js";
import { progressBar } from "./progress-bar.js";

const report: StopReport = { unstored: 0, released: 0 };
const never = new Promise<never>(() => {});

function clusterThat(parts: Partial<FinishableCluster>) {
  let stops = 0;
  const cluster: FinishableCluster = {
    drained: () => never,
    stopped: never,
    progress: () => ({ done: 0, failed: 0, retried: 0 }),
    stop: async () => {
      stops += 1;
      return report;
    },
    ...parts,
  };
  return { cluster, stops: () => stops };
}
const backlog = { unfinished: async () => 4 };

describe("a cluster that works to an end stops", () => {
  it("when the queues are drained", async () => {
    const { cluster, stops } = clusterThat({ drained: async () => {} });

    await finishWork(cluster, backlog, "drained", undefined);

    expect(stops()).toBe(1);
  });

  it("when as many tasks as there were have been tried, retries not awaited (P296)", async () => {
    let looks = 0;
    const { cluster, stops } = clusterThat({ progress: () => ({ done: looks++, failed: 0, retried: 1 }) });

    await finishWork(cluster, backlog, 3, undefined);

    expect(stops()).toBe(1);
    expect(looks).toBe(3);
  });

  it("at once when nothing was there", async () => {
    const { cluster, stops } = clusterThat({});

    await finishWork(cluster, backlog, 0, undefined);

    expect(stops()).toBe(1);
  });

  it("when it stops by itself", async () => {
    const { cluster } = clusterThat({ stopped: Promise.resolve(report) });

    await expect(finishWork(cluster, backlog, "drained", undefined)).resolves.toBeUndefined();
  });
});

describe("its bar", () => {
  it("counts what is done of what is done and left", async () => {
    const terminal = fakeTerminal({ interactive: true });
    const { cluster } = clusterThat({
      drained: async () => {},
      progress: () => ({ done: 6, failed: 1, retried: 2 }),
    });

    await finishWork(
      cluster,
      backlog,
      "drained",
      progressBar(terminal, "tasks", () => 0),
    );

    expect(terminal.noted()).toContain("60 %  6 of 10  1 failed  2 retried");
  });

  it("is not worth the work: a store that is away for a moment changes nothing", async () => {
    const terminal = fakeTerminal({ interactive: true });
    const { cluster, stops } = clusterThat({ drained: async () => {} });
    const away = { unfinished: async () => Promise.reject(new Error("away")) };

    await finishWork(
      cluster,
      away,
      "drained",
      progressBar(terminal, "tasks", () => 0),
    );

    expect(stops()).toBe(1);
    expect(terminal.noted()).toBe("");
  });
});
