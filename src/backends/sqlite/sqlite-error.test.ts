import { describe, expect, it } from "vitest";
import { advice, isAway, isBroken, isBusy, isDamaged, isMissingTable } from "./sqlite-error.js";

/** The same failure as each driver reports it. */
function byNode(code: number, message = "it failed"): Error {
  return Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR", errcode: code });
}

function byLibsql(code: number, message = "it failed"): Error {
  return Object.assign(new Error(message), { code: "SQLITE_SOMETHING", rawCode: code });
}

describe.each([
  ["node:sqlite", byNode],
  ["libsql", byLibsql],
])("a failure of %s", (_, failure) => {
  it.each([
    ["busy", 5, isBusy],
    ["busy with a snapshot", 517, isBusy],
    ["a table locked", 6, isBusy],
    ["disk full", 13, isAway],
    ["an input or output error", 10, isAway],
    ["a failed write", 778, isAway],
    ["a read-only file", 8, isAway],
    ["a file that cannot be opened", 14, isAway],
    ["a disk that failed in the middle", 778, isBroken],
    ["a damaged file", 11, isDamaged],
    ["no database", 26, isDamaged],
  ])("is known: %s (%i)", (__, code, is) => {
    expect(is(failure(code))).toBe(true);
    expect(is(failure(19))).toBe(false);
    expect(is(new Error("something else"))).toBe(false);
    expect(is("text")).toBe(false);
  });

  it.each([
    [13, /Free some space/],
    [8, /write to the file/],
    [14, /folder exists/],
    [10, /Check its disk/],
    [7, /memory/],
    [5, /locked/],
  ])("comes with advice (%i)", (code, words) => {
    expect(advice(failure(code))).toMatch(words);
  });

  it("is a missing table only when it says so", () => {
    expect(isMissingTable(failure(1, "no such table: qluster_task"))).toBe(true);
    expect(isMissingTable(failure(1, 'near "SELCT": syntax error'))).toBe(false);
  });
});

it("is known when libsql cannot open a file, for which it gives no code", () => {
  const failure = new Error('ConnectionFailed("Unable to open connection to local database /x/q.db: 14")');

  expect(isAway(failure)).toBe(true);
});
