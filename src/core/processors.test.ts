import { describe, expect, it } from "vitest";
import { parseProcessorList, processorsOf } from "./processors.js";

describe("processorsOf", () => {
  const first = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

  it.each([
    {
      processors: 4,
      each: 2,
      workers: [
        [0, 1],
        [2, 3],
        [0, 1],
        [2, 3],
      ],
    },
    {
      processors: 8,
      each: 3,
      workers: [
        [0, 1, 2],
        [3, 4, 5],
        [6, 7, 0],
        [1, 2, 3],
        [4, 5, 6],
        [7, 0, 1],
        [2, 3, 4],
        [5, 6, 7],
      ],
    },
    { processors: 2, each: 1, workers: [[0], [1], [0]] },
  ])("gives each worker $each of $processors, consecutive and going round (P052)", ({ processors, each, workers }) => {
    expect(workers.map((_, place) => processorsOf(first(processors), each, place))).toEqual(workers);
  });

  it.each([0, 4, 9])("holds nobody to any with %i of 4 (P052)", (each) => {
    expect(processorsOf(first(4), each, 1)).toBeUndefined();
  });

  it("keeps to those that this program may use", () => {
    expect(processorsOf([2, 5, 7], 2, 1)).toEqual([7, 2]);
  });
});

it.each([
  ["0-3", [0, 1, 2, 3]],
  ["0,2-3,8\n", [0, 2, 3, 8]],
  ["7", [7]],
  ["", []],
  ["none", []],
])("reads the list %j of Linux", (text, expected) => {
  expect(parseProcessorList(text)).toEqual(expected);
});
