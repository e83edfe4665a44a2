/** Priority 0 in ranks. */
const rankOfPriorityZero = 100;

/**
 * What all keys of a project start with. The hash tag (the part in braces) puts them in one slot of a Redis Cluster, so that
 * one script can keep every promise. Characters that would end the tag early are spelled out.
 *
 * @param queue - What the keys of a queue in a slot of its own start with. `%:` stands in no project's name, as it is spelled.
 */
export function projectPrefix(project: string, queue?: string): string {
  return `{qluster:${spelled(project)}${queue === undefined ? "" : `%:${spelled(queue)}`}}:`;
}

function spelled(name: string): string {
  return name.replaceAll(/[{}%]/g, (character) => encodeURIComponent(character));
}

/** What a message's member says besides its place and its id. The scripts know the same numbers. */
export const messageFlags = {
  hook: 1,
  uniqueTillEnd: 2,
  uniqueTillStart: 4,
  inGroup: 8,
  named: 16,
  scheduled: 32,
  member: 64,
  flow: 128,
} as const;

/** Lower ranks are taken first: from 0 for priority 100 to 200 for priority -100. */
export function rankOf(priority: number): number {
  return rankOfPriorityZero - priority;
}

/** Whether the task is a member of a flow. */
export function isMemberOfFlow(member: string): boolean {
  return (Number.parseInt(member.slice(14, 16), 16) & messageFlags.member) !== 0;
}

/** The id in a member: 22 characters of place and flags stand before it. */
export function idOfMember(member: string): string {
  return member.slice(22);
}

export function priorityOfRank(rank: number): number {
  return rankOfPriorityZero - rank;
}
