import { expect, it, onTestFinished } from "vitest";
import { openBackend } from "../../src/backends/redis/index.js";
import { claimByFour } from "../support/claimers.js";
import { startRedis } from "../support/redis.js";

it("hands 20,000 tasks to four processes, each once (P257)", async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const options = { project: "shop", durability: "process", migrate: true, blockMs: 50, retryMs: 20_000 } as const;
  await using backend = await openBackend({ ...options, location: server.url });

  await claimByFour(backend, server.url, ["redis", "redis", "redis", "redis"]);

  expect(server.cli("--scan", "--pattern", "{qluster:shop}:h:*")).toBe("");
}, 120_000);
