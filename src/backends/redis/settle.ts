import type { Receipt } from "../../contracts/broker.js";
import type { Settlement } from "../../contracts/store.js";
import { packEnding, type PackedEnding } from "./ending.js";
import type { Held } from "../sql/held.js";
import { packMessage } from "./packing.js";
import type { RedisProject, Values } from "./project.js";

/** Settlements in one call of the script: more would hold the server for longer than 5 ms. */
const atOnce = 256;

/** What happens to one message that a consumer holds. */
export interface Step extends Omit<PackedEnding, "action"> {
  readonly member: Receipt;
  readonly action: PackedEnding["action"] | "d";
  readonly followUps: Settlement["followUps"];
}

/** Without an ending: gives back (`q`, as a suspect `p`) or removes (`d`). */
export function plainStep(member: Receipt, action: "q" | "p" | "d", delayMs: number = 0): Step {
  return { member, action, ms: delayMs, record: "", result: "", followUps: [] };
}

export function stepOf(settlement: Settlement): Step {
  return { ...packEnding(settlement), member: settlement.receipt, followUps: settlement.followUps };
}

/** Ends or gives back what `consumer` holds. `false` at an index: it does not hold that one. */
export async function settle(
  { project, held }: { readonly project: RedisProject; readonly held: Held },
  consumer: string,
  steps: readonly Step[],
): Promise<boolean[]> {
  const answers: boolean[] = [];
  for (let from = 0; from < steps.length; from += atOnce) {
    const some = steps.slice(from, from + atOnce);
    const turn = held.turn();
    const replies = await project.runSafely<number[]>("settle", (again) => valuesOf(consumer, some, again));
    for (const reply of replies) answers.push(reply === 1);
    const members = some.map(({ member }) => member);
    held.remove(consumer, members, turn);
  }
  return answers;
}

function valuesOf(consumer: string, steps: readonly Step[], again: boolean): Values {
  const values: (string | number)[] = [consumer, steps.length, again ? 1 : 0];
  for (const { member, action, ms, record, result } of steps) values.push(member, action, ms, record, result);
  for (const [index, { followUps }] of steps.entries()) {
    for (const task of followUps) values.push(index + 1, ...packMessage(task));
  }
  return values;
}
