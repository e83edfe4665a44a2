import type { MemberOutcome } from "../contracts/flows.js";
import { FlowError } from "../errors.js";
import { memberId } from "./flow.js";
import type { HeaderFlow } from "./task-header.js";

/** Opens the result of a member. */
export type OpenMember = (id: string, sealed: string) => unknown;

/**
 * What a flow that has succeeded returned: of a chain the results of its links, with an array in the place of each
 * `parallel([...])`; of an iterable the results of its elements; of a batch its size.
 *
 * @param members - All of them, by place; `null`: there are more than fit.
 * @throws {FlowError} when there are more than fit.
 */
export function flowResult(
  id: string,
  flow: HeaderFlow,
  members: readonly MemberOutcome[] | null,
  open: OpenMember,
): unknown {
  if (flow.kind === "batch") return { size: flow.size ?? 0 };
  if (members === null) throw tooManyResults(id);
  const results = members.map(({ place, run, result }) =>
    result === null ? undefined : open(memberId(id, place, run), result),
  );
  return flow.kind === "iter" ? results : inSteps(results, flow);
}

function tooManyResults(id: string): FlowError {
  return new FlowError(
    `The results of ${id} take more than \`maxResult\` together. Read them one after the other: ` +
      `for await (const element of q.results("${id}")), or raise \`maxResult\`.`,
  );
}

/** The results of links by step. Of a chain that is not through, as many steps as there are results for. */
export function inSteps(results: readonly unknown[], { parallel = {} }: Pick<HeaderFlow, "parallel">): unknown[] {
  const steps: unknown[] = [];
  for (let place = 0; place < results.length;) {
    const width = parallel[steps.length];
    steps.push(width === undefined ? results[place] : results.slice(place, place + width));
    place += width ?? 1;
  }
  return steps;
}
