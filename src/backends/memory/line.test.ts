import fc from "fast-check";
import { expect, it } from "vitest";
import { dueIn, joinLine, leaveLine, placeIn } from "./line.js";
import { emptyProject, type Message } from "./state.js";
import { newMessage } from "./submit.js";

const task = { queue: "q", envelope: "", func: "", name: null, group: null, kind: "task", parent: null } as const;

const waiting = fc.array(
  fc.record({ priority: fc.integer({ min: -100, max: 100 }), delayMs: fc.integer({ min: 0, max: 20 }) }),
  { maxLength: 60 },
);

it("A queue hands out what is due by priority, then due time, then enqueue order, whatever was there before (P251)", () => {
  fc.assert(
    fc.property(waiting, fc.integer({ min: 0, max: 25 }), fc.nat(70), (all, now, max) => {
      const { state, messages } = queueOf(all);

      const due = dueIn(state, "q", max, now);

      const expected = messages
        .filter((message) => message.dueAt <= now)
        .toSorted((a, b) => b.priority - a.priority || a.dueAt - b.dueAt || a.seq - b.seq);
      expect(due.map(({ seq }) => seq)).toEqual(expected.slice(0, max).map(({ seq }) => seq));
    }),
  );
});

it("A queue is as before once a message has left and come back", () => {
  fc.assert(
    fc.property(waiting, fc.nat(), (all, index) => {
      const { state, messages } = queueOf(all);
      const before = state.lines.get("q")?.map(({ seq }) => seq);
      const message = messages.at(index % all.length);
      fc.pre(message !== undefined);

      leaveLine(state, message);
      leaveLine(state, message);
      const without = state.lines.get("q")?.map(({ seq }) => seq) ?? [];
      joinLine(state, message);

      expect(without).toEqual(before?.filter((seq) => seq !== message.seq));
      expect(state.lines.get("q")?.map(({ seq }) => seq)).toEqual(before);
    }),
  );
});

it("A message is found at its own place", () => {
  fc.assert(
    fc.property(waiting, (all) => {
      const { state } = queueOf(all);
      const line = state.lines.get("q") ?? [];

      expect(line.map((message) => placeIn(line, message))).toEqual(line.map((_, index) => index));
    }),
  );
});

function queueOf(all: readonly { readonly priority: number; readonly delayMs: number }[]) {
  const state = emptyProject();
  const messages: Message[] = all.map((options, index) =>
    newMessage(state, { ...task, ...options, id: String(index), dueAt: null, expiresMs: null, unique: null }, 0),
  );
  for (const message of messages) joinLine(state, message);
  return { state, messages };
}
