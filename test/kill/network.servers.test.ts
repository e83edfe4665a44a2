import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { emptyServer } from "../support/server.js";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.js";
import { backAtWork, startsIn, startTraffic } from "../support/traffic.js";
import { until, workshop, type Workshop } from "../support/workshop.js";

const wait = { wait: "30s" } as const;

/** A project whose clusters and application reach their server through a network that can break. */
async function behindProxy(given: Parameters<typeof workshop>[0]): Promise<{ shop: Workshop; network: TcpProxy }> {
  const server = emptyServer()!;
  const network = await startTcpProxy(Number(new URL(server).port));
  const shop = await workshop({ database: network.through(server), attempts: 0, enqueueTimeout: "2s", ...given });
  return { shop, network };
}

describe("a network that breaks under two clusters and an application", () => {
  let shop: Workshop;
  let network: TcpProxy;
  beforeAll(async () => {
    ({ shop, network } = await behindProxy({ workers: 1, lease: "15s" }));
    await Promise.all([shop.cluster(), shop.cluster()]);
  });
  afterAll(async () => {
    await shop[Symbol.asyncDispose]();
    await network.close();
  });

  const during = async (weather: "cut" | "silent" | "frozen" | "deaf", ms: number): Promise<void> => {
    network.become(weather);
    await pause(ms);
    // What answers were lost, the connections of that time never get.
    if (weather === "deaf") network.drop();
    network.become("fair");
  };

  it.each([
    ["cuts every connection for 4 s", () => during("cut", 4_000)],
    ["goes silent for 8 s, and never tells the connections of that time", () => during("silent", 8_000)],
    ["stands still for 3 s, and goes on", () => during("frozen", 3_000)],
    ["loses the answers of half a second, and cuts", () => during("deaf", 500)],
    [
      "ends every connection on one side, again and again",
      async () => {
        for (let round = 0; round < 10; round++) {
          network.halfClose();
          await pause(100);
        }
      },
    ],
    [
      "drops every connection, again and again",
      async () => {
        for (let round = 0; round < 20; round++) {
          network.drop();
          await pause(50);
        }
      },
    ],
    [
      "is slow: 150 ms each way",
      async () => {
        network.delayMs = 150;
        await pause(2_000);
        network.delayMs = 0;
      },
    ],
  ])("loses nothing, repeats no stored success, and is back at work within 5 s when it %s", async (what, breaks) => {
    const traffic = startTraffic(shop, `${what}: `.replaceAll(" ", "_"), 20_000);
    await until(() => traffic.confirmed.size > 20, "the application to enqueue");

    await breaks();
    await backAtWork(shop, `after_${what}`.replaceAll(" ", "_"));

    await traffic.stop();
    await traffic.check();
  });
});

it.each(["cut", "silent"] as const)(
  "starts no running task twice, with two living clusters, when the network is %s for three leases",
  async (weather) => {
    const { shop, network } = await behindProxy({ workers: 3, lease: "2s" });
    await Promise.all([shop.cluster(), shop.cluster()]);
    const ids = await Promise.all(
      Array.from({ length: 6 }, (_, n) => shop.q.asyncTask("jobs.traced", `t${n}`, 13_000)),
    );
    await until(() => startsIn(shop).length === 6, "the tasks to start");

    network.become(weather);
    await pause(6_500);
    network.become("fair");

    for (const id of ids) expect(await shop.q.fetch(id, wait)).toMatchObject({ success: true, attempts: 1 });
    expect(startsIn(shop)).toHaveLength(6);
    await shop[Symbol.asyncDispose]();
    await network.close();
  },
);

it.each(["cut", "silent"] as const)(
  "runs again within one lease and 5 s what a cluster held that died while the network was %s",
  async (weather) => {
    const { shop, network } = await behindProxy({ workers: 1, lease: "2s" });
    const dying = await shop.cluster();
    const id = await shop.q.asyncTask("jobs.traced", "held", 60_000);
    await until(() => startsIn(shop).length === 1, "the task to start");
    await shop.cluster();
    const named = async (): Promise<boolean> =>
      (await shop.q.clusters()).some(({ running }) => running.some((task) => task.id === id));
    await until(named, "a heartbeat to name the task");

    network.become(weather);
    dying.kill("SIGKILL");
    await pause(3_000);
    network.become("fair");

    await until(() => startsIn(shop).length === 2, "the task to run again within one lease and 5 s", 7_000);
    const attempts = async (): Promise<unknown[]> => await shop.q.attempts(id).catch(() => []);
    await until(async () => (await attempts()).length === 1, "the first attempt to be on record");
    expect(await attempts()).toMatchObject([{ ending: "lost" }]);
    await shop[Symbol.asyncDispose]();
    await network.close();
  },
);
