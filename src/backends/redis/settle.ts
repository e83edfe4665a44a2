import type { Receipt } from "../../contracts/broker.js";
import type { NewTask, Settlement } from "../../contracts/store.js";
import { advanceFlow } from "../../core/flow.js";
import { isFinal, packEnding, type FinalOutcome, type PackedEnding } from "./ending.js";
import { lackingPlace, moveAfter, prepareMove, type Need, type PreparedMove } from "./flow-moves.js";
import { idOfMember, isMemberOfFlow } from "./key-layout.js";
import type { Held } from "../sql/held.js";
import { memberOutcome } from "../../core/member-end.js";
import { packMessage } from "./packing.js";
import type { RedisProject, Values } from "./project.js";

/** Settlements in one call of the script: more would hold the server for longer than 5 ms. */
const atOnce = 256;

/** What happens to one message that a consumer holds. */
export interface Step extends Omit<PackedEnding, "action"> {
  readonly member: Receipt;
  readonly action: PackedEnding["action"] | "d";
  readonly followUps: Settlement["followUps"];
  /** Of a member of a flow, as its flow is told of it. */
  readonly final?: FinalOutcome | undefined;
}

/** Without an ending: gives back (`q`, as a suspect `p`) or removes (`d`). */
export function plainStep(member: Receipt, action: "q" | "p" | "d", delayMs: number = 0): Step {
  return { member, action, ms: delayMs, record: "", result: "", endedAt: null, followUps: [] };
}

export function stepOf(settlement: Settlement): Step {
  const { receipt, followUps, outcome } = settlement;
  const isMember = isMemberOfFlow(String(receipt));
  const final = isMember && isFinal(outcome) ? outcome : undefined;
  return { ...packEnding(settlement, isMember), member: receipt, followUps, final };
}

interface Settling {
  readonly project: RedisProject;
  readonly held: Held;
}

/** Ends or gives back what `consumer` holds. `false` at an index: it does not hold that one. */
export async function settle(parts: Settling, consumer: string, steps: readonly Step[]): Promise<boolean[]> {
  const answers: boolean[] = [];
  for (let from = 0; from < steps.length; from += atOnce) {
    const some = steps.slice(from, from + atOnce);
    const turn = parts.held.turn();
    answers.push(...(await settleSome(parts.project, consumer, some)));
    const members = some.map(({ member }) => member);
    parts.held.remove(consumer, members, turn);
  }
  return answers;
}

/** One letter for each step, then what is needed for each 2, then the links that were to be looked up. */
type SettleReply = readonly [answers: string, ...(Need | AheadReply)[]];

/** Comes again with what follows in a flow, until nobody was faster. */
async function settleSome(project: RedisProject, consumer: string, steps: readonly Step[]): Promise<boolean[]> {
  const answers: boolean[] = [];
  let left = [...steps.keys()];
  let moves = await foreseen(project, steps);
  for (let some = steps; ; some = pick(steps, left)) {
    const given = moves;
    const reply = await project.runSafely<SettleReply>("settle", (again) => valuesOf(consumer, some, given, again));
    const [letters] = reply;
    const lacking = left.filter((_, at) => letters[at] === "2");
    const needs = reply.slice(1, 1 + lacking.length) as Need[];
    remember(project, given, reply.slice(1 + lacking.length) as AheadReply[]);
    for (const [at, index] of left.entries()) answers[index] = letters[at] === "1";
    if (needs.length === 0) return answers;
    left = lacking;
    moves = await Promise.all(needs.map((need, at) => moveFor(project, need, steps[lacking[at] ?? 0])));
  }
}

function pick<T>(all: readonly T[], places: readonly number[]): T[] {
  return places.map((place) => all[place] as T);
}

async function moveFor(project: RedisProject, need: Need, step: Step | undefined): Promise<PreparedMove> {
  const { place, run } = lackingPlace(need);
  return await moveAfter(project, need, step?.final && memberOutcome(place, run, step.final));
}

/** What follows the links that this process has queued. */
async function foreseen(project: RedisProject, steps: readonly Step[]): Promise<PreparedMove[]> {
  const moves: Promise<PreparedMove | undefined>[] = [];
  for (const { member, final } of steps) {
    const known = final && project.ahead.recall(idOfMember(String(member)), final);
    // The end of a flow has its time from the server.
    if (known === undefined || advanceFlow(known.flow, [known.outcome]).next !== "step") continue;
    moves.push(prepareMove(project, { flow: known.flow, next: [known.task], now: 0 }, known.outcome));
  }
  return (await Promise.all(moves)).filter((move) => move !== undefined);
}

/** The link after the one that was queued, of a flow. */
type AheadReply = readonly [flow: string, link: string | null];

function remember({ ahead }: RedisProject, moves: readonly PreparedMove[], replies: readonly AheadReply[]): void {
  const links = new Map(replies);
  for (const { flow, tasks } of moves) {
    const text = links.get(flow?.id ?? "");
    const [link] = tasks ?? [];
    if (flow !== undefined && link !== undefined && typeof text === "string")
      ahead.remember(flow, link, JSON.parse(text) as NewTask);
  }
}

function valuesOf(consumer: string, steps: readonly Step[], moves: readonly PreparedMove[], again: boolean): Values {
  const given = moves.map(({ values }) => values).filter((values) => values.length > 0);
  const values: (string | number)[] = [consumer, steps.length, again ? 1 : 0, given.length, actionsOf(steps)];
  for (const { member } of steps) values.push(member);
  for (const step of steps) values.push(storedText(step));
  for (const move of given) for (const value of move) values.push(value);
  for (const [index, { followUps }] of steps.entries()) {
    for (const task of followUps) values.push(index + 1, ...packMessage(task));
  }
  return values;
}

/** In one text: every value costs the client more than what is in it. */
function actionsOf(steps: readonly Step[]): string {
  let text = "";
  for (const { action, ms, endedAt } of steps) text += `${action === "s" && endedAt === null ? "u" : action}${ms};`;
  return text;
}

/** Of an end, what its value begins with, as {@link finishedTask} reads it. */
function storedText({ action, record, result, endedAt }: Step): string {
  const isEnd = action === "s" || action === "f" || action === "n";
  return isEnd ? `${record}\n${endedAt};${Buffer.byteLength(result)};\n${result}` : record;
}
