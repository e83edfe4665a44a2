import type { MemberOutcome } from "../../contracts/flows.js";
import type { NewTask } from "../../contracts/store.js";
import { attachResults } from "../../core/attached-results.js";
import { carriesResults, flowHooks, type FlowEnd } from "../../core/flow-end.js";
import { advanceFlow, faultOf, placesOf } from "../../core/flow.js";
import { readHeader } from "../../core/task-header.js";
import type { Ending } from "./ending.js";
import { outcomesUntil, readFlow, type FlowHash } from "./flow-hash.js";
import { readOutcomes } from "./flow-reads.js";
import { packMessage } from "./packing.js";
import type { RedisProject, Values } from "./project.js";

/** What a script has to be given before it stores an outcome: where the flow of that outcome stands. */
export type Need = readonly [
  flow: string,
  place: number,
  run: string | number,
  now: number,
  hash: readonly string[],
  links: readonly (string | null)[],
];

/** An outcome that is not stored yet, because its flow needs a move with it. */
export function lackingPlace([, place, run]: Need): { readonly place: number; readonly run: number } {
  return { place, run: Number(run) };
}

/** A move as the scripts take it, and what it makes of a chain that goes on. */
export interface PreparedMove {
  readonly values: Values;
  /** As it stands then. */
  readonly flow?: FlowHash;
  /** What is queued. */
  readonly tasks?: readonly NewTask[];
}

/** The move that follows an outcome in a flow, from what is known of it. None, when it goes on as it is. */
export async function prepareMove(
  project: RedisProject,
  { flow, next: links, now }: { readonly flow: FlowHash; readonly next: readonly NewTask[]; readonly now: number },
  outcome: MemberOutcome | undefined,
): Promise<PreparedMove | undefined> {
  const { next, ...move } = advanceFlow(flow, outcome === undefined ? [] : [outcome]);
  const moved = { ...flow, ...move };
  if (next === "wait") return undefined;
  if (next === "end") return { values: await moveToItsEnd(project, moved, now, outcome) };
  const tasks = await stepTasks(project, moved, links, outcome);
  return { values: packStep(moved, tasks), flow: { ...moved, rev: String(Number(flow.rev) + 1) }, tasks };
}

/**
 * Where a flow goes when an outcome is stored that was lacking, as the scripts take it.
 *
 * @param steps - Of an iterable that is closed just now.
 */
export async function moveAfter(
  project: RedisProject,
  [id, , , now, hash, links]: Need,
  outcome: MemberOutcome | undefined,
  steps?: readonly number[],
): Promise<PreparedMove> {
  const stored = readFlow(id, hash);
  if (stored === undefined) return { values: [] };
  const flow = { ...stored, steps: steps ?? stored.steps };
  const next = links.flatMap((text) => (text === null ? [] : [JSON.parse(text) as NewTask]));
  return (await prepareMove(project, { flow, next, now }, outcome)) ?? { values: [] };
}

/** Ends a flow of which nothing is left to wait for. @param now - By the server's clock. */
export async function moveToItsEnd(
  project: RedisProject,
  flow: FlowHash,
  now: number,
  own?: MemberOutcome,
): Promise<Values> {
  const error = faultOf(flow, await firstFailure(project, flow, own));
  return await moveToEnd(project, flow, { state: error === null ? "succeeded" : "failed", error, at: now }, own);
}

/** Queues members of the current step, each with what `previous()` stands for in it. @param own - An outcome that is not stored yet. */
export async function moveToStep(
  project: RedisProject,
  flow: FlowHash,
  members: readonly NewTask[],
  own?: MemberOutcome,
): Promise<Values> {
  return packStep(flow, await stepTasks(project, flow, members, own));
}

function packStep(flow: FlowHash, tasks: readonly NewTask[]): Values {
  const { steps, step } = flow;
  const isAlone = steps[step] === 1 && steps[step + 1] === 1;
  return packMove(flow, { state: "", ending: "", at: "", ahead: isAlone ? placesOf(steps, step + 1)[0] : "" }, tasks);
}

async function stepTasks(
  project: RedisProject,
  flow: FlowHash,
  members: readonly NewTask[],
  own: MemberOutcome | undefined,
): Promise<readonly NewTask[]> {
  const { steps, step, queued } = flow;
  const attaches = queued && step > 0 && members.some(wantsResults);
  const before = attaches ? await outcomesBetween(project, flow, placesOf(steps, step - 1), own) : [];
  const tasks = members.map((task) =>
    wantsResults(task) ? { ...task, envelope: attachResults(task.envelope, before) } : task,
  );
  return queued ? tasks : [];
}

/** Ends a flow, and calls what is to be called then. @param own - An outcome that is not stored yet. */
export async function moveToEnd(
  project: RedisProject,
  flow: FlowHash,
  end: Omit<FlowEnd, "members">,
  own?: MemberOutcome,
): Promise<Values> {
  const { state, error, at } = end;
  const hooks = flow.queued ? await hooksOf(project, flow, end, own) : [];
  const ending: Ending = { to: state, attempt: null, error, resultLength: null };
  return packMove(flow, { state, ending: JSON.stringify(ending), at, ahead: "" }, hooks);
}

function packMove(
  { id, rev, steps, step }: FlowHash,
  { state, ending, at, ahead }: Readonly<Record<"state" | "ending", string> & Record<"at" | "ahead", number | "">>,
  tasks: readonly NewTask[],
): Values {
  return [
    id,
    rev,
    step,
    outcomesUntil(steps, step),
    state,
    ending,
    at,
    ahead,
    tasks.length,
    ...tasks.flatMap(packMessage),
  ];
}

function wantsResults({ envelope }: NewTask): boolean {
  return readHeader(envelope)?.before !== undefined;
}

/** Reads the results only when somebody is to be told of them. */
async function hooksOf(
  project: RedisProject,
  flow: FlowHash,
  end: Omit<FlowEnd, "members">,
  own: MemberOutcome | undefined,
): Promise<NewTask[]> {
  const members = carriesResults(flow, end.state) ? await carried(project, flow, own) : [];
  return flowHooks(flow, { ...end, members: () => members });
}

async function carried(
  project: RedisProject,
  { id, kind, carryBytes, places }: FlowHash,
  own: MemberOutcome | undefined,
): Promise<readonly MemberOutcome[] | null> {
  if (kind === "batch") return [];
  const left = carryBytes - Buffer.byteLength(own?.result ?? "");
  if (left < 0) return null;
  const { outcomes, isAll } = await readOutcomes(project, id, { from: 0, to: places, maxBytes: left });
  return isAll ? inOrder(outcomes, own) : null;
}

async function outcomesBetween(
  project: RedisProject,
  { id }: FlowHash,
  [from, to]: readonly [from: number, to: number],
  own: MemberOutcome | undefined,
): Promise<MemberOutcome[]> {
  // A step of one link is all there.
  if (own !== undefined && to - from === 1) return [own];
  const { outcomes } = await readOutcomes(project, id, { from, to, maxBytes: Number.MAX_SAFE_INTEGER });
  return inOrder(outcomes, own);
}

function inOrder(outcomes: readonly MemberOutcome[], own: MemberOutcome | undefined): MemberOutcome[] {
  return own === undefined ? [...outcomes] : [...outcomes, own].sort((a, b) => a.place - b.place);
}

async function firstFailure(
  project: RedisProject,
  flow: FlowHash,
  own: MemberOutcome | undefined,
): Promise<MemberOutcome | undefined> {
  const { failedAt } = flow;
  if (failedAt === null || failedAt === own?.place) return own;
  return (await outcomesBetween(project, flow, [failedAt, failedAt + 1], undefined))[0];
}
