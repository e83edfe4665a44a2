import type { Message, ProjectState } from "./state.js";

/** The waiting messages of one queue in the order in which they are taken: priority, due time, enqueue order. */
export type Line = Message[];

/** What decides a message's place. */
export type Place = Pick<Message, "priority" | "dueAt" | "seq">;

export function compare(a: Place, b: Place): number {
  return b.priority - a.priority || a.dueAt - b.dueAt || a.seq - b.seq;
}

export function joinLine(state: ProjectState, message: Message): void {
  let line = state.lines.get(message.queue);
  if (line === undefined) state.lines.set(message.queue, (line = []));
  line.splice(placeIn(line, message), 0, message);
}

export function leaveLine(state: ProjectState, message: Message): void {
  const line = state.lines.get(message.queue);
  const index = line === undefined ? -1 : placeIn(line, message);
  if (line?.[index] !== message) return;
  line.splice(index, 1);
  if (line.length === 0) state.lines.delete(message.queue);
}

/** The first `max` messages of a queue that are due. */
export function dueIn(state: ProjectState, queue: string, max: number, now: number): Message[] {
  const due: Message[] = [];
  for (const message of state.lines.get(queue) ?? []) {
    if (due.length >= max) break;
    if (message.dueAt <= now) due.push(message);
  }
  return due;
}

/** The first index whose message does not come before `place`. */
export function placeIn(line: Line, place: Place): number {
  let low = 0;
  let high = line.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(line[middle]!, place) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
