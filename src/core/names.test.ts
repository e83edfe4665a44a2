import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TooLongError } from "../errors.js";
import { checkLength, nearest, taskNameOf } from "./names.js";

describe("nearest", () => {
  const known = ["core.tasks.moderateReview", "core.tasks.sendReport", "images.resize", "timeout", "attempts"];

  it.each([
    ["a missing letter", "images.resze", "images.resize"],
    ["swapped letters", "core.tasks.moderateReveiw", "core.tasks.moderateReview"],
    ["another case", "CORE.TASKS.SENDREPORT", "core.tasks.sendReport"],
    ["a wrong letter", "timeaut", "timeout"],
    ["the name without its module", "moderateReview", "core.tasks.moderateReview"],
    ["the last parts, misspelt", "task.sendReport", "core.tasks.sendReport"],
  ])("finds what was meant: %s", (_, name, meant) => {
    expect(nearest(name, known)).toBe(meant);
  });

  it.each(["billing.charge", "", "x", "core.jobs.archiveEverything"])("does not guess wildly for %j", (name) => {
    expect(nearest(name, known)).toBeUndefined();
  });

  it("prefers the closest, and a whole name to the end of one", () => {
    expect(nearest("resize", ["a.resize", "resizer", "resize1s"])).toBe("a.resize");
    expect(nearest("resize", ["a.resize", "Resize"])).toBe("Resize");
    expect(nearest("attempt", ["attempted", "attempts"])).toBe("attempts");
  });

  it("finds any longer name again after one slip", () => {
    const name = fc.stringMatching(/^[a-z]{3,40}$/);

    fc.assert(
      fc.property(name, fc.nat(), (text, seed) => {
        const at = seed % text.length;

        expect(nearest(`${text.slice(0, at)}#${text.slice(at + 1)}`, [text])).toBe(text);
        expect(nearest(`${text.slice(0, at)}${text.slice(at + 1)}`, [text])).toBe(text);
      }),
    );
  });
});

describe("taskNameOf", () => {
  it.each([
    ["src/core/tasks.ts", "moderateReview", "core.tasks.moderateReview"],
    ["dist/core/tasks.js", "moderateReview", "core.tasks.moderateReview"],
    ["dist/src/core/tasks.js", "moderateReview", "core.tasks.moderateReview"],
    ["build/core/tasks.mjs", "moderateReview", "core.tasks.moderateReview"],
    ["lib/core/tasks.cjs", "moderateReview", "core.tasks.moderateReview"],
    ["core/tasks.mts", "moderateReview", "core.tasks.moderateReview"],
    ["./core/tasks.cts", "moderateReview", "core.tasks.moderateReview"],
    [String.raw`src\core\tasks.ts`, "moderateReview", "core.tasks.moderateReview"],
    ["src/core/tasks.tsx", "default", "core.tasks"],
    ["src/core/index.ts", "moderateReview", "core.moderateReview"],
    ["src/core/index.ts", "default", "core"],
    ["src/index.ts", "moderateReview", "moderateReview"],
    ["index.ts", "default", "index"],
    ["src.ts", "run", "src.run"],
    ["app/src/tasks.ts", "run", "app.src.tasks.run"],
    ["src/lib/tasks.ts", "run", "lib.tasks.run"],
    ["dist/lib/tasks.js", "run", "lib.tasks.run"],
    ["src/review.tasks.ts", "run", "review.tasks.run"],
    ["../shared/tasks.ts", "run", "shared.tasks.run"],
  ])("names the export of %s %s as %s", (path, exported, name) => {
    expect(taskNameOf(path, exported)).toBe(name);
  });
});

describe("checkLength", () => {
  it("lets through what fits, counting characters as people do", () => {
    expect(() => checkLength("group", "g".repeat(100), 100)).not.toThrow();
    expect(() => checkLength("group", "\u{1F600}".repeat(100), 100)).not.toThrow();
  });

  it("refuses what does not, with both lengths (P097)", () => {
    expect(() => checkLength("group", "g".repeat(101), 100)).toThrow(TooLongError);
    expect(() => checkLength("group", "g".repeat(101), 100)).toThrow(
      `The group "${"g".repeat(57)}..." has 101 characters; at most 100 can be kept. Choose a shorter one.`,
    );
  });
});
