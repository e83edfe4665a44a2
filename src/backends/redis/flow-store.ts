import type { Flows, NewFlow } from "../../contracts/flows.js";
import type { NewTask } from "../../contracts/store.js";
import { advanceFlow, placesOf } from "../../core/flow.js";
import { endMembers } from "./flow-cancel.js";
import { packFlow, type FlowHash } from "./flow-hash.js";
import { moveAfter, moveToItsEnd, moveToStep, type Need } from "./flow-moves.js";
import { readFlows, readLinks, readOutcomes } from "./flow-reads.js";
import type { RedisProject, Values } from "./project.js";

/** Flows in hashes: what each is, the outcomes by place, the links of a chain, the members of a batch. */
export function redisFlows(project: RedisProject, now: () => Promise<number>): Flows {
  return {
    open: (flow, members) => openFlow(project, flow, members, now),
    close: (id, size) => closeFlow(project, id, size),
    resume: (id, run, again, expiresMs) => resumeChain(project, { id, run, again, expiresMs }),
    find: (ids) => readFlows(project, ids),
    members: (id) => readLinks(project, id),
    async outcomes(id, from, maxBytes) {
      return (await readOutcomes(project, id, { from, to: Number.MAX_SAFE_INTEGER, maxBytes })).outcomes;
    },
  };
}

async function openFlow(
  project: RedisProject,
  flow: NewFlow,
  members: readonly NewTask[],
  now: () => Promise<number>,
): Promise<void> {
  const move = await firstMove(project, flow, members, now);
  const names = packFlow(flow);
  const values = ["open", flow.id, names.length, ...names, flow.expiresMs ?? "", members.length, ...packLinks(members)];
  await project.runSafely("flows", () => [...values, ...move]);
}

async function firstMove(
  project: RedisProject,
  flow: NewFlow,
  members: readonly NewTask[],
  now: () => Promise<number>,
): Promise<Values> {
  const fresh = { state: "open", step: 0, done: 0, failed: 0, failedAt: null, error: null, run: 0 } as const;
  const times = { openedAt: 0, expiresAt: null, endedAt: null };
  const opened: FlowHash = { ...flow, ...fresh, ...times, rev: "0", joined: 0, places: 0 };
  const [from, to] = placesOf(flow.steps, 0);
  if (flow.kind === "chain" || advanceFlow(opened, []).next === "wait") {
    return await moveToStep(project, opened, members.slice(from, to));
  }
  const at = await now();
  return await moveToItsEnd(project, { ...opened, openedAt: at }, at);
}

/** The links by place, as they are kept. */
function packLinks(members: readonly NewTask[]): Values {
  return members.flatMap((task) => [task.member?.place ?? 0, JSON.stringify(task)]);
}

async function closeFlow(project: RedisProject, id: string, size: number): Promise<void> {
  for (let move: Values = []; ;) {
    const values: Values = ["close", id, size, move.length === 0 ? 0 : 1, ...move];
    const reply = await project.runSafely<1 | Need>("flows", () => values);
    if (reply === 1) return;
    move = (await moveAfter(project, reply, undefined, [size])).values;
  }
}

interface Resumed {
  readonly id: string;
  readonly run: number;
  readonly again: readonly NewTask[];
  readonly expiresMs: number | null;
}

async function resumeChain(project: RedisProject, { id, run, again, expiresMs }: Resumed): Promise<boolean> {
  for (;;) {
    const [flow] = await readFlows(project, [id]);
    const isOver = flow?.state === "failed" || flow?.state === "cancelled";
    if (flow === undefined || !isOver || flow.kind !== "chain" || run !== flow.run + 1 || again.length === 0)
      return false;
    const left = await countsWithout(project, flow, again);
    const move = await moveToStep(project, { ...flow, ...left }, again);
    const counts = [left.done, left.failed, left.failedAt ?? "", again.length, ...packLinks(again)];
    const answer = await project.runSafely<number>("flows", (repeated) => {
      return ["resume", id, flow.rev, run, repeated ? 1 : 0, expiresMs ?? "", ...counts, ...move];
    });
    if (answer !== -1) return answer === 1;
    // Who cancelled it died before its members had ended.
    await endMembers(project, flow);
  }
}

/** What an ended chain has, when the outcomes of these links are forgotten. */
async function countsWithout(
  project: RedisProject,
  { id, places }: FlowHash,
  again: readonly NewTask[],
): Promise<Pick<FlowHash, "done" | "failed" | "failedAt">> {
  const gone = new Set(again.map(({ member }) => member?.place));
  const all = await readOutcomes(project, id, { from: 0, to: places, maxBytes: Number.MAX_SAFE_INTEGER });
  const left = all.outcomes.filter(({ place }) => !gone.has(place));
  const failures = left.filter(({ state }) => state !== "succeeded");
  return { done: left.length, failed: failures.length, failedAt: failures[0]?.place ?? null };
}
