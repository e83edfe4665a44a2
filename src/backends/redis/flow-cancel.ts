import type { ErrorRecord, StoredTask } from "../../contracts/store.js";
import { cancelledWhileWaiting, hooksOfCancelled } from "../../core/cancelled-task.js";
import { lateness, memberId, placesOf } from "../../core/flow.js";
import { packEnding } from "./ending.js";
import type { FlowHash } from "./flow-hash.js";
import { moveToEnd } from "./flow-moves.js";
import { flowsIn, readFlows, readLinks } from "./flow-reads.js";
import { packMessage } from "./packing.js";
import type { RedisProject } from "./project.js";
import { readTasks } from "./store-read.js";

/** Elements that leave the queue in one call of the script. */
const elementsAtOnce = 256;
/** Members that end at the same time, each in a call of its own. */
const membersAtOnce = 32;
/** Flows that one look ends. The rest is for the next one. */
const mostAtOnce = 100;

const words = { chain: "chain", iter: "iterable", batch: "batch" } as const;

/**
 * Ends an open flow, and then every member that waits; the clusters that run others are told. Who dies in between leaves the
 * members to the next {@link endLeftMembers}.
 *
 * @param now - By the server's clock.
 */
export async function cancelFlow(
  project: RedisProject,
  open: FlowHash,
  now: number,
): Promise<"cancelled" | "finished"> {
  for (let flow: FlowHash | undefined = open; flow?.state === "open"; [flow] = await readFlows(project, [flow.id])) {
    const error = { ...cancelledWhileWaiting, message: `The ${words[flow.kind]} was cancelled.` };
    if (await end(project, flow, { state: "cancelled", error, at: now })) return "cancelled";
  }
  return "finished";
}

/** Ends flows whose time is up, as failed, and members of flows that ended before. */
export async function expireFlows(project: RedisProject): Promise<void> {
  const [now, ...texts] = await project.run<[number, ...string[]]>("flows", ["due", "", mostAtOnce]);
  for (const flow of flowsIn(texts)) await end(project, flow, { state: "failed", error: lateness(flow), at: now });
  await endLeftMembers(project);
}

async function endLeftMembers(project: RedisProject): Promise<void> {
  const ids = await project.run<string[]>("flows", ["ending", ""]);
  const flows = new Map((await readFlows(project, ids)).map((flow) => [flow.id, flow]));
  for (const id of ids) {
    const flow = flows.get(id);
    if (flow === undefined) await project.run("flows", ["ended", id]);
    else await endMembers(project, flow);
  }
}

interface End {
  readonly state: "failed" | "cancelled";
  readonly error: ErrorRecord;
  readonly at: number;
}

/** @returns `false`: it has changed meanwhile. */
async function end(project: RedisProject, flow: FlowHash, how: End): Promise<boolean> {
  const move = await moveToEnd(project, flow, how);
  const values = ["end", flow.id, flow.rev, ...move];
  const wasEnded = (await project.runSafely<number>("flows", (again) => [...values, again ? 1 : 0])) === 1;
  if (wasEnded) await endMembers(project, { ...flow, ...how, endedAt: how.at });
  return wasEnded;
}

/** The flow has ended before: its members change nothing of it any more. Repeating it changes nothing. */
export async function endMembers(project: RedisProject, flow: FlowHash): Promise<void> {
  // Elements leave no record but of a failure of their own, and there may be a million.
  if (flow.kind === "iter") await dropElements(project, flow);
  else for await (const ids of membersOf(project, flow)) await endWaiting(project, flow, ids);
  await project.run("flows", ["ended", flow.id]);
}

async function dropElements(project: RedisProject, { id, places }: FlowHash): Promise<void> {
  for (let from = 0; from < places; from += elementsAtOnce) {
    const width = Math.min(elementsAtOnce, places - from);
    const ids = Array.from({ length: width }, (_, index) => memberId(id, from + index, 0));
    await project.run("flows", ["drop", id, ...ids]);
  }
}

/** Those that may have been queued. */
async function* membersOf(project: RedisProject, flow: FlowHash): AsyncGenerator<readonly string[]> {
  const { id, kind, run, steps, step } = flow;
  if (kind === "chain") {
    const links = await readLinks(project, id, placesOf(steps, step));
    // The chain may have been resumed meanwhile.
    yield links.filter(({ member }) => (member?.run ?? 0) <= run).map((link) => link.id);
    return;
  }
  let cursor = "0";
  do {
    const [next, ...ids] = await project.run<[string, ...string[]]>("flows", ["joined", id, cursor]);
    yield ids;
    cursor = next;
  } while (cursor !== "0");
}

async function endWaiting(project: RedisProject, flow: FlowHash, ids: readonly string[]): Promise<void> {
  const tasks = (await readTasks(project, ids, "all")).filter(({ result, error }) => result === null && error === null);
  for (let from = 0; from < tasks.length; from += membersAtOnce) {
    await Promise.all(tasks.slice(from, from + membersAtOnce).map((task) => endMember(project, flow, task)));
  }
}

async function endMember(project: RedisProject, { state, error, endedAt }: FlowHash, task: StoredTask): Promise<void> {
  if (error === null) return;
  const to = state === "cancelled" ? "cancelled" : "expired";
  const { record } = packEnding({ attempt: null, outcome: { to, error } });
  const hooks = hooksOfCancelled(task, endedAt ?? 0, error);
  const order = JSON.stringify({ order: "cancel", id: task.id });
  await project.runSafely("cancel", () => [task.id, record, order, 0, ...hooks.flatMap(packMessage)]);
}
