import type { MemberOutcome, StoredFlow } from "../contracts/flows.js";
import { FlowError, ResultExpiredError } from "../errors.js";
import type { FlowReader } from "./flow-reader.js";
import type { IterElement } from "./iter-types.js";
import type { Waiters } from "./waiters.js";

/** Elements of an iterable in the order of the input, each as soon as it and all before it have ended. */
export async function* elementsOf(
  reader: FlowReader,
  waiters: Waiters,
  id: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<IterElement, void, undefined> {
  let next = 0;
  for (;;) {
    const flow = await flowOf(reader, id);
    if (await reader.hasExpired({ ...flow, stoppedAt: flow.endedAt })) throw new ResultExpiredError(id);
    for await (const page of reader.pages(id, next)) {
      for (const outcome of page) {
        // While it runs, later ones may have ended before this place.
        if (outcome.place !== next && flow.state === "open") break;
        yield element(reader, flow, outcome);
        next = outcome.place + 1;
      }
      if (page.at(-1)?.place !== next - 1) break;
    }
    if (flow.state !== "open") return;
    signal?.throwIfAborted();
    await waiters.wait({ kind: "flow", id, count: flow.done + 1 }, { waitMs: Infinity, signal });
  }
}

async function flowOf(reader: FlowReader, id: string): Promise<StoredFlow> {
  const flow = await reader.find(id);
  if (flow !== undefined && flow.kind !== "batch") return flow;
  throw new FlowError(
    `There is no iterable ${id}. Give the id that asyncIter resolved to; a finished one is removed after a time.`,
  );
}

function element(reader: FlowReader, flow: StoredFlow, outcome: MemberOutcome): IterElement {
  const { place: index, state } = outcome;
  if (state !== "succeeded") {
    return { index, success: false, result: undefined, error: reader.failureOf(flow, outcome) };
  }
  return { index, success: true, result: reader.open(flow.id, outcome), error: undefined };
}
