import type { Membership } from "../../contracts/flows.js";

/** A membership whose place is known. */
export interface MemberPlace {
  readonly flow: string;
  readonly place: number;
  readonly run: number;
}

/** A membership as its column has it: flow, place and run. */
export function memberText(member: Membership | undefined): string | null {
  return member === undefined ? null : `${member.flow}.${member.place ?? 0}.${member.run}`;
}

export function memberFrom(text: string): MemberPlace {
  const [flow = "", place = "", run = ""] = text.split(".");
  return { flow, place: Number(place), run: Number(run) };
}

/** The texts of all members of a flow lie from the first up to, and not with, the second. */
export function memberRange(flow: string): readonly [from: string, to: string] {
  return [`${flow}.`, `${flow}/`];
}
