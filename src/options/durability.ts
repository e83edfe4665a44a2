import type { Durability } from "../contracts/backend.js";
import { isRecord } from "./nested.js";
import { reader, type PlainReader } from "./reader.js";

const mostReplicas = 100;

/** Reads `"process"`, `"power"`, `{ replicas: 1 }`, or `replicas=1` from the environment. */
export const durability: PlainReader<Durability> = reader<Durability>(
  '"process", "power" or { replicas: 1 }, the number of replicas that confirm each write',
  (value) => {
    if (value === "process" || value === "power") return value;
    if (!isRecord(value) || Object.keys(value).join() !== "replicas") return undefined;
    const { replicas } = value;
    const isCount = Number.isInteger(replicas) && (replicas as number) >= 1 && (replicas as number) <= mostReplicas;
    return isCount ? Object.freeze({ replicas: replicas as number }) : undefined;
  },
  {
    fromText: (written) => {
      const [, count] = /^replicas=(\d+)$/.exec(written.trim()) ?? [];
      return count === undefined ? written : { replicas: Number(count) };
    },
    show: (value) => (typeof value === "string" ? value : `replicas=${value.replicas}`),
  },
);
