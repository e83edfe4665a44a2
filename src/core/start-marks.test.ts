import { expect, it } from "vitest";
import { fileMarks, markBytes, parseMarks, sharedMarks } from "./start-marks.js";

it("shows what each place started last, and when", () => {
  const bytes = new Uint8Array(3 * markBytes);
  const marks = sharedMarks(bytes);

  marks.write(0, 1, 100.5);
  marks.write(2, 2, 101);
  marks.write(0, 3, 102);

  expect(parseMarks(bytes, 3)).toEqual([
    { index: 3, monotonicMs: 102 },
    { index: 0, monotonicMs: 0 },
    { index: 2, monotonicMs: 101 },
  ]);
});

it("writes each mark to a file in one piece", () => {
  const file = new Uint8Array(2 * markBytes);
  const writes: number[] = [];
  const marks = fileMarks((bytes, offset) => {
    writes.push(bytes.length);
    file.set(bytes, offset);
  });

  marks.write(1, 7, 5.25);

  expect(writes).toEqual([markBytes]);
  expect(parseMarks(file, 2)[1]).toEqual({ index: 7, monotonicMs: 5.25 });
});
