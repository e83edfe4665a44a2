import { afterAll, beforeAll, describe, it } from "vitest";
import { openBackend } from "../../src/backends/redis/index.js";
import type { Backend, BackendOptions } from "../../src/contracts/backend.js";
import {
  brokerSuite,
  cacheSuite,
  flowSuite,
  manualClock,
  outboxSuite,
  scheduleSuite,
  schemaSuite,
  storeSuite,
  type Where,
} from "../../src/testing/index.js";
import { redisForTests, startRedisCluster } from "../support/redis.js";

const capabilities = {
  copies: false,
  priority: true,
  maxDelayMs: Number.MAX_SAFE_INTEGER,
  maxBytes: 128 * 1024 * 1024,
  list: true,
  push: true,
  shared: true,
};

describe.each([
  ["redis", redisForTests],
  ["redis cluster of three nodes", startRedisCluster],
])("%s", (_, start) => {
  const clock = manualClock();
  let server: { readonly url: string; readonly stop: () => Promise<void> };

  beforeAll(async () => {
    server = await start();
  }, 60_000);
  afterAll(() => server.stop());

  // A place is a project of its own: its keys begin with its name, and lie in a slot of its own.
  const open = ({ place, project, migrate, outbox }: Where & Pick<BackendOptions, "outbox">): Promise<Backend> =>
    openBackend(
      {
        location: server.url,
        project: `${place} ${project}`,
        migrate,
        outbox,
        durability: "process",
        blockMs: 50,
        retryMs: 5_000,
      },
      clock,
    );

  brokerSuite({ describe, it, clock, open, capabilities });
  storeSuite({ describe, it, clock, open });
  scheduleSuite({ describe, it, clock, open });
  flowSuite({ describe, it, clock, open });
  outboxSuite({ describe, it, clock, open });
  cacheSuite({ describe, it, clock, open });
  schemaSuite({ describe, it, clock, open, tables: false });
});
