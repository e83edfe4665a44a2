import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bareTask } from "../../core/bare-task.js";
import { readDeliveries } from "./deliveries.js";
import { packMessage } from "./packing.js";

const text = fc.string({ unit: "grapheme" });

function memberOf(index: number): string {
  return `0000000000016400000001${String(index).padStart(32, "0")}`;
}

function bodyOf(index: number, queue: string, envelope: string, expires: number | "" = ""): string {
  const task = bareTask(queue, { id: "x", envelope, priority: 0, delayMs: 0 });
  return `${memberOf(index)};1000;2000;${expires};${packMessage(task).at(-1)}`;
}

describe("what a look finds", () => {
  it("is read with its queue and its envelope, whatever these hold", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 20 }), (messages) => {
        const bodies = messages.map(([queue, envelope], index) => bodyOf(index, queue, envelope));

        const read = readDeliveries([1_500, 0, -1, [], ...bodies]);

        expect(read.map(({ queue, envelope }) => [queue, envelope])).toEqual(messages);
        expect(read.map(({ receipt }) => receipt)).toEqual(messages.map((_, index) => memberOf(index)));
      }),
    );
  });

  it("has the changes of the messages that have some", () => {
    const bodies = ["a", "b", "c"].map((envelope, index) => bodyOf(index, "q", envelope, 1_700));

    const read = readDeliveries([1_600, 0, -1, [1, "2;1;3;4000;5;6;w"], ...bodies]);

    expect(read.map(({ deliveries, attempts, starts, dueAt }) => [deliveries, attempts, starts, dueAt])).toEqual([
      [1, 0, 0, 2_000],
      [3, 1, 3, 4_000],
      [1, 0, 0, 2_000],
    ]);
  });

  it("has expired when its time to live is over", () => {
    const bodies = [bodyOf(0, "q", "a", 1_500), bodyOf(1, "q", "b", 1_501), bodyOf(2, "q", "c")];

    expect(readDeliveries([1_500, 0, -1, [], ...bodies]).map(({ expired }) => expired)).toEqual([true, false, false]);
  });
});
