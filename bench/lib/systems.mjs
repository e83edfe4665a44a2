// What can be measured, and on which databases.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(dirname(fileURLToPath(import.meta.url)));
const ours = (file) => join(here, "systems", file);
const peer = (file) => join(here, "peers", file);
const redis = ["redis", "redis-aof"];

/** By the name that `--systems` takes. `peer`: has settings to look for, and runs on Node 24 only. */
export const systems = {
  qluster: { script: ours("qluster.mjs"), stores: ["sqlite", "postgres", ...redis] },
  "bare-sqlite": { script: ours("bare-sqlite.mjs"), stores: ["sqlite"], measures: ["drain"] },
  bare: { script: ours("bare.mjs"), stores: ["postgres", ...redis], measures: ["drain"] },
  plainjob: { script: peer("plainjob.mjs"), stores: ["sqlite"], measures: ["drain", "enqueue"], peer: true },
  "graphile-worker": { script: peer("graphile-worker.mjs"), stores: ["postgres"], peer: true },
  "pg-boss": { script: peer("pg-boss.mjs"), stores: ["postgres"], peer: true },
  "pg-boss-notify": {
    script: peer("pg-boss.mjs"),
    stores: ["postgres"],
    measures: ["enqueue", "latency"],
    env: { PG_BOSS_NOTIFY: "1" },
    peer: true,
  },
  bullmq: { script: peer("bullmq.mjs"), stores: redis, peer: true },
  // The quickest to start a task there, and far from the fastest in all else.
  "bullmq-postgres": { script: peer("bullmq.mjs"), stores: ["postgres"], measures: ["latency"], peer: true },
  "bee-queue": { script: peer("bee-queue.mjs"), stores: redis, peer: true },
};

/** Those of which a job comes back after its worker was killed within a minute or so; the others take 15 minutes or 4 hours. */
export const recovers = ["qluster", "bullmq", "bee-queue"];

/** @param {string} name @param {string} store @param {string} measure */
export function fits(name, store, measure) {
  const { stores, measures } = systems[name];
  return stores.includes(store) && (measures === undefined || measures.includes(measure));
}
