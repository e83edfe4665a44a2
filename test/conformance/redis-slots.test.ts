import { afterAll, beforeAll } from "vitest";
import { openBackend } from "../../src/backends/redis/index.js";
import { openWithSlots, type OpenPart } from "../support/apart.js";
import { suitesOfAllRoles } from "../support/pair-suites.js";
import { redisForTests } from "../support/redis.js";

const numbers = { durability: "process", blockMs: 50, retryMs: 5_000 } as const;
let server: Awaited<ReturnType<typeof redisForTests>>;

beforeAll(async () => {
  server = await redisForTests();
}, 60_000);
afterAll(() => server.stop());

const redis: OpenPart = ({ place, project, ...where }, clock) =>
  openBackend({ ...where, ...numbers, location: server.url, project: `${place} ${project}` }, clock);

// Most of what the suites do is in "q".
const placings: readonly (readonly [name: string, queues: readonly string[]])[] = [
  ["Redis with slots for most queues, that of nearly all tests too", ["q", "m", "media", "hooks", "other", "a", "c"]],
  ["Redis with slots for some queues, whose clusters take from both kinds", ["m", "media", "hooks", "other"]],
];

for (const [name, queues] of placings) {
  suitesOfAllRoles(name, (where, clock) => openWithSlots(redis, queues, where, clock), true, 128);
}
