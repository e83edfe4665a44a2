import type { MemberOutcome } from "../../contracts/flows.js";
import type { NewTask } from "../../contracts/store.js";
import { readFlow, readOutcome, type FlowHash } from "./flow-hash.js";
import type { RedisProject } from "./project.js";

/** Bytes of results in one reply. */
const pageBytes = 1024 * 1024;

export async function readFlows(project: RedisProject, ids: readonly string[]): Promise<FlowHash[]> {
  const wanted = [...new Set(ids)];
  const flows: FlowHash[] = [];
  for (let from = 0; from < wanted.length; from += 256) {
    const texts = await project.run<(string | string[])[]>("flows", ["find", ...wanted.slice(from, from + 256)]);
    flows.push(...flowsIn(texts));
  }
  return flows;
}

/** @param texts - Ids and hashes in turn. */
export function flowsIn(texts: readonly (string | readonly string[])[]): FlowHash[] {
  const flows: FlowHash[] = [];
  for (let at = 0; at < texts.length; at += 2) {
    const flow = readFlow(String(texts[at]), texts[at + 1] as readonly string[]);
    if (flow !== undefined) flows.push(flow);
  }
  return flows;
}

/** The links of a chain as they were sealed, by place. @param places - Only these: from the first up to, and not with, the second. */
export async function readLinks(
  project: RedisProject,
  id: string,
  [from, to]: readonly [from: number, to: number] = [0, Number.MAX_SAFE_INTEGER],
): Promise<NewTask[]> {
  const links: NewTask[] = [];
  for (let at = from; at >= 0;) {
    const [next, ...texts] = await project.run<[number, ...string[]]>("flows", ["members", id, at, to, pageBytes]);
    for (const text of texts) links.push(JSON.parse(text) as NewTask);
    at = next;
  }
  return links;
}

interface Range {
  readonly from: number;
  /** Not with this one. */
  readonly to: number;
  readonly maxBytes: number;
}

/** Outcomes by place, as many as fit, and at least one if there is any; `isAll`: there are no more. */
export async function readOutcomes(
  project: RedisProject,
  id: string,
  { from, to, maxBytes }: Range,
): Promise<{ readonly outcomes: MemberOutcome[]; readonly isAll: boolean }> {
  const outcomes: MemberOutcome[] = [];
  let bytes = 0;
  for (let at = from; at >= 0;) {
    const most = Math.max(0, Math.min(maxBytes - bytes, pageBytes));
    const [next, ...texts] = await project.run<[number, ...string[]]>("flows", ["outcomes", id, at, to, most]);
    for (let index = 0; index < texts.length; index += 2) {
      const outcome = readOutcome(Number(texts[index]), texts[index + 1] ?? "");
      bytes += Buffer.byteLength(outcome.result ?? JSON.stringify(outcome.error));
      if (bytes > maxBytes && outcomes.length > 0) return { outcomes, isAll: false };
      outcomes.push(outcome);
    }
    at = next;
  }
  return { outcomes, isAll: bytes <= maxBytes };
}
