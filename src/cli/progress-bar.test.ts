import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fakeTerminal } from "../../test/cli/fake-terminal.js";
import { progressBar } from "./progress-bar.js";
import { percentOf, renderBar, renderPlain } from "./render-bar.js";

describe("one line of a progress bar", () => {
  const look = { width: 100, blocks: false };

  it.each([
    ["nothing", { done: 0, total: 200 }, 0, "work ----------------------------------------   0 %  0 of 200"],
    [
      "half",
      { done: 1_000, total: 2_000 },
      4_000,
      "work ####################--------------------  50 %  1,000 of 2,000  250/s  4 s left",
    ],
    [
      "all",
      { done: 20, total: 20, failed: 1, retried: 3 },
      10_000,
      "work ######################################## 100 %  20 of 20  1 failed  3 retried  2/s",
    ],
  ])("shows that %s is done", (_, counts, elapsedMs, line) => {
    expect(renderBar("work", counts, elapsedMs, look)).toBe(line);
  });

  it.each([
    [60, "-  50 %  1,000 of 2,000  250/s  4 s left"],
    [50, "-  50 %  1,000 of 2,000  250/s"],
    [40, "-  50 %  1,000 of 2,000"],
    [25, "-  50 %"],
    [12, "50 %"],
    [2, "50"],
    [0, ""],
  ])("leaves out what does not fit into %i columns", (width, end) => {
    const line = renderBar("work", { done: 1_000, total: 2_000 }, 4_000, { width, blocks: false });

    expect(line.length).toBeLessThanOrEqual(width);
    expect(line.slice(Math.max(0, line.lastIndexOf("-")))).toBe(end);
  });

  it("is never wider than the terminal, whatever the numbers", () => {
    const counts = fc.record({ done: fc.nat(), total: fc.nat(), failed: fc.nat(), retried: fc.nat() });
    fc.assert(
      fc.property(counts, fc.nat(10_000_000), fc.nat(300), (given, elapsedMs, width) => {
        expect(renderBar("work", given, elapsedMs, { width, blocks: true }).length).toBeLessThanOrEqual(width);
        expect(percentOf(given)).toBeLessThanOrEqual(100);
      }),
    );
  });

  it.each([
    [{ done: 1_999, total: 2_000 }, 99],
    [{ done: 2_000, total: 2_000 }, 100],
    [{ done: 5, total: 3 }, 100],
    [{ done: 0, total: 0 }, 0],
  ])("says 100 %% only when all of %j is done", (counts, percent) => {
    expect(percentOf(counts)).toBe(percent);
  });

  it.each([
    [1, "1 s left"],
    [120, "2 min left"],
    [7_260, "2 h 1 min left"],
  ])("says how long %i more seconds are", (seconds, text) => {
    expect(renderPlain("work", { done: 1, total: 1 + seconds }, 1_000)).toContain(text);
  });
});

function barAt(interactive: boolean) {
  const clock = { time: 0 };
  const terminal = fakeTerminal({ interactive, width: 60 });
  return { clock, terminal, bar: progressBar(terminal, "work", () => clock.time) };
}

describe("a progress bar", () => {
  it("is drawn over itself, at most ten times a second", () => {
    const { clock, terminal, bar } = barAt(true);

    for (clock.time = 0; clock.time < 1_000; clock.time++) bar.update({ done: clock.time, total: 1_000 });

    expect(terminal.noted().split("\r").length - 1).toBe(10);
    expect(terminal.noted()).not.toContain("\n");
  });

  it("is a line of text every five seconds where nobody looks", () => {
    const { clock, terminal, bar } = barAt(false);

    for (; clock.time < 12_000; clock.time += 10) bar.update({ done: clock.time, total: 12_000 });
    bar.update({ done: 12_000, total: 12_000 });
    bar.finish();

    expect(terminal.noted().trimEnd().split("\n")).toEqual([
      "work: 41 %, 5,000 of 12,000, 1,000/s, 7 s left",
      "work: 83 %, 10,000 of 12,000, 1,000/s, 2 s left",
      "work: 100 %, 12,000 of 12,000, 1,000/s",
    ]);
    // oxlint-disable-next-line no-control-regex -- a control character is what must not be there
    expect(terminal.noted()).not.toMatch(/[\r\u001B]/);
  });

  it("lets lines of a log pass above it", () => {
    const { clock, terminal, bar } = barAt(true);
    bar.update({ done: 1, total: 2 });
    clock.time = 1;

    bar.say("Processed [a]");

    // oxlint-disable-next-line no-control-regex -- the control characters are what counts here
    expect(terminal.noted()).toMatch(/\r\u001B\[KProcessed \[a\]\n\rwork .* 50 %/);
  });

  it("leaves its last state on the screen and ends the line, once", () => {
    const { terminal, bar } = barAt(true);
    bar.update({ done: 1, total: 2 });
    bar.update({ done: 2, total: 2 });

    bar.finish();
    bar.finish();

    expect(terminal.noted()).toMatch(/100 %.*\n$/);
    expect(terminal.noted().split("\n")).toHaveLength(2);
  });

  it("says nothing when there was nothing to do", () => {
    const { terminal, bar } = barAt(true);

    bar.finish();

    expect(terminal.noted()).toBe("");
  });
});
