import { EnvelopeError } from "../../errors.js";
import { deriveId } from "../ids.js";
import type { TaskHeader } from "../task-header.js";

/** The facts of one run, beside what the producer of the schedule has sealed. */
export interface SlotBody {
  /** Id of the schedule. */
  readonly schedule: string;
  /** The slot, in milliseconds since 1970. */
  readonly slot: number;
  /** Of a run out of turn: a number of its own. */
  readonly run?: number;
  /** The target as its producer has sealed it. */
  readonly envelope: string;
}

/** The id of the task of a slot: always the same, so that a slot that is fired twice makes one task. */
export function slotTaskId({ schedule, slot, run }: Pick<SlotBody, "schedule" | "slot" | "run">): string {
  return deriveId(schedule, run === undefined ? `slot ${slot}` : `run ${run}`);
}

/**
 * The message of a slot's task: header and body without a signature of their own, so that the supervisor, which signs
 * nothing, can compose it. What runs, with which arguments and options, is read from the sealed target.
 *
 * @param sealed - The header of the sealed target.
 */
export function composeSlot(body: SlotBody, sealed: TaskHeader): string {
  const header: TaskHeader = {
    ...sealed,
    id: slotTaskId(body),
    kind: "slot",
    parent: body.schedule,
    due: body.slot,
  };
  return `${JSON.stringify(header)}\n${JSON.stringify(body)}\n`;
}

/** @throws {EnvelopeError} `unreadable` when it is no message of a slot. The target in it is still sealed. */
export function readSlotBody(envelope: string): SlotBody {
  const [, line = ""] = envelope.split("\n", 2);
  let body: unknown;
  try {
    body = JSON.parse(line);
  } catch (cause) {
    throw new EnvelopeError("unreadable", "The message of a schedule's task has no body that can be read.", { cause });
  }
  if (!isSlotBody(body)) {
    throw new EnvelopeError("unreadable", "The message of a schedule's task does not say which slot it is for.");
  }
  return body;
}

function isSlotBody(body: unknown): body is SlotBody {
  if (typeof body !== "object" || body === null) return false;
  const { schedule, slot, run, envelope } = body as { readonly [K in keyof SlotBody]?: unknown };
  return (
    typeof schedule === "string" &&
    Number.isFinite(slot) &&
    (run === undefined || Number.isFinite(run)) &&
    typeof envelope === "string"
  );
}
