import { afterAll, beforeAll, describe, it } from "vitest";
import { openBackend } from "../../src/backends/redis/index.js";
import { brokerSuite, manualClock, type Where } from "../../src/testing/index.js";
import { openWithSlots, type OpenPart } from "../support/apart.js";
import { brokerOf, suitesOfAllRoles } from "../support/pair-suites.js";
import { redisForTests } from "../support/redis.js";

const numbers = { durability: "process", blockMs: 50, retryMs: 5_000 } as const;
let server: Awaited<ReturnType<typeof redisForTests>>;

beforeAll(async () => {
  server = await redisForTests();
}, 60_000);
afterAll(() => server.stop());

const redis: OpenPart = ({ place, project, ...where }, clock) =>
  openBackend({ ...where, ...numbers, location: server.url, project: `${place} ${project}` }, clock);

// Nearly everything that the suites do is in "q".
suitesOfAllRoles(
  "Redis with slots for most queues",
  (where, clock) => openWithSlots(redis, ["q", "m", "media", "hooks", "other", "a", "c"], where, clock),
  true,
  128,
);

describe("Redis with slots for some queues, and a broker for the others", () => {
  const clock = manualClock();
  const open = (where: Where) => openWithSlots(redis, ["m", "media", "hooks", "other", "b"], where, clock);

  brokerSuite({ describe, it, clock, open, capabilities: brokerOf(true, 128) });
});
