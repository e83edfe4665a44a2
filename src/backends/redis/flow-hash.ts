import type { FlowKind, MemberOutcome, NewFlow, StoredFlow } from "../../contracts/flows.js";
import type { FinalState, NewTask } from "../../contracts/store.js";
import { parentOfFlow } from "../../core/flow-end.js";
import { placesOf } from "../../core/flow.js";
import { readEnding } from "./ending.js";
import { packMessage, readBody } from "./packing.js";
import type { Values } from "./project.js";

/** A flow, and what the scripts need to know of it. */
export interface FlowHash extends StoredFlow {
  /** Changes with all but the counts. */
  readonly rev: string;
  /** Of a batch: how many have joined. */
  readonly joined: number;
  /** How many places there are, as far as known. */
  readonly places: number;
}

/** @param texts - Names and values in turn, as the server answers. @returns `undefined`: there is no such flow. */
export function readFlow(id: string, texts: readonly string[]): FlowHash | undefined {
  if (texts.length === 0) return undefined;
  const hash = new Map<string, string>();
  for (let at = 0; at < texts.length; at += 2) hash.set(texts[at] ?? "", texts[at + 1] ?? "");
  const text = (name: string): string => hash.get(name) ?? "";
  const number = (name: string): number => Number(text(name));
  const numberOrNull = (name: string): number | null => (text(name) === "" ? null : number(name));
  const { head, envelope } = readBody(`;;;;${text("rest")}`);
  const [queue, func, name, group, kind] = head;
  return {
    id,
    kind: kind as FlowKind,
    queue,
    func,
    name,
    group,
    envelope,
    steps: JSON.parse(text("steps")) as number[],
    stops: text("stops") === "1",
    queued: text("queued") === "1",
    carryBytes: number("carryBytes"),
    state: text("state") as StoredFlow["state"],
    step: number("step"),
    done: number("done"),
    failed: number("failed"),
    failedAt: numberOrNull("failedAt"),
    error: text("ending") === "" ? null : readEnding(text("ending")).error,
    run: number("run"),
    openedAt: number("openedAt"),
    expiresAt: numberOrNull("expiresAt"),
    endedAt: numberOrNull("endedAt"),
    rev: text("rev"),
    joined: number("joined"),
    places: number("places"),
  };
}

/** A new flow as names and values. What an opened one has besides is written by the script. */
export function packFlow(flow: NewFlow): Values {
  const { kind, steps, stops, queued, carryBytes } = flow;
  const [, , flags = 0, , , , , rest = ""] = packMessage(asMessage(flow));
  const size = steps.reduce((sum, width) => sum + width, 0);
  const fixed = ["kind", kind, "rest", rest, "flags", flags, "steps", JSON.stringify(steps), "carryBytes", carryBytes];
  const yesOrNo = ["stops", stops ? 1 : 0, "queued", queued ? 1 : 0];
  return [...fixed, ...yesOrNo, "run", 0, "done", 0, "failed", 0, "failedAt", "", "joined", 0, "places", size];
}

function asMessage(flow: NewFlow): NewTask {
  const { id, kind, queue, envelope, func, name, group } = flow;
  const times = { priority: 0, delayMs: 0, dueAt: null, expiresMs: null };
  return { id, queue, envelope, func, name, group, kind, parent: parentOfFlow(flow), ...times, unique: null };
}

/** How many outcomes make what comes after a step; nothing, while nobody knows. */
export function outcomesUntil(steps: readonly number[], step: number): number | "" {
  return steps.length === 0 ? "" : placesOf(steps, step)[1];
}

/** An outcome as the scripts keep it: the run, then s and the result, or f and the ending. */
export function readOutcome(place: number, text: string): MemberOutcome {
  const at = text.indexOf(";") + 1;
  const run = Number(text.slice(0, at - 1));
  const rest = text.slice(at + 1);
  if (text[at] === "s") return { place, run, state: "succeeded", result: rest === "" ? null : rest, error: null };
  const { to, error } = readEnding(rest);
  return { place, run, state: to satisfies FinalState, result: null, error };
}
