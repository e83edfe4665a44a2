import type { NewTask, Submitted } from "../../contracts/store.js";
import { fullBatch, notOpen } from "../../core/flow-refusals.js";
import type { FlowError } from "../../errors.js";
import { readFlow } from "./flow-hash.js";
import { packMessage } from "./packing.js";
import type { RedisProject } from "./project.js";

/** A flow that takes no more members, its hash, and how many were to join. */
type Refusal = readonly ["!", flow: string, hash: readonly string[], more: number];

/** Stores and queues tasks, all or none. */
export async function submitTasks(project: RedisProject, tasks: readonly NewTask[]): Promise<Submitted[]> {
  if (tasks.length === 0) return [];
  const values = [1, ...tasks.flatMap(packMessage)];
  const refused = await project.runSafely<readonly (string | number)[] | Refusal>("submit", () => values);
  if (isRefusal(refused)) throw refusalError(refused);
  const submitted = tasks.map(({ id }): Submitted => ({ id, created: true }));
  for (let at = 0; at < refused.length; at += 2) {
    submitted[Number(refused[at])] = { id: String(refused[at + 1]), created: false };
  }
  return submitted;
}

export function isRefusal(reply: unknown): reply is Refusal {
  return Array.isArray(reply) && reply[0] === "!";
}

export function refusalError([, id, hash, more]: Refusal): FlowError {
  const flow = readFlow(id, hash);
  return flow?.state === "open" ? fullBatch(flow, more) : notOpen(id, flow);
}
