import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonLine, type LogRecord, prettyLine } from "./log-line.js";

const time = new Date(2026, 10, 23, 9, 5, 7).getTime();
const origin = { pid: 42, hostname: "web-1" };
const record = (given: Partial<LogRecord> = {}): LogRecord => ({
  level: "info",
  time,
  message: "Processed [four-word-task-name]",
  fields: {},
  ...given,
});

describe("a line for people", () => {
  it.each([
    ["debug", "09:05:07 [Q] DEBUG hello\n"],
    ["info", "09:05:07 [Q] INFO hello\n"],
    ["warn", "09:05:07 [Q] WARNING hello\n"],
    ["error", "09:05:07 [Q] ERROR hello\n"],
  ] as const)("has Django Q2's shape at level %s (P414)", (level, line) => {
    expect(prettyLine(record({ level, message: "hello" }), false)).toBe(line);
  });

  it("colours only the level, and only when asked", () => {
    expect(prettyLine(record({ level: "error", message: "no" }), true)).toBe(
      "09:05:07 [Q] \u001B[31mERROR\u001B[39m no\n",
    );
  });

  it("prints an error's stack below, indented", () => {
    const error = Object.assign(new Error("boom"), { stack: "Error: boom\n  at here" });

    const line = prettyLine(record({ message: "Failed [a]", fields: { error } }), false);

    expect(line).toBe("09:05:07 [Q] INFO Failed [a]\n    Error: boom\n      at here\n");
  });

  it("never passes control characters on to the terminal", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (message, thrown) => {
        const line = prettyLine(record({ message, fields: { error: thrown } }), false);
        // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
        expect(line).not.toMatch(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/);
        expect(line.endsWith("\n")).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe("a JSON line", () => {
  it("has pino's fields and the task's (P416)", () => {
    const fields = { taskId: "ab", task: "core.tasks.a", queue: "shop", attempt: 2, durationMs: 12 };

    const line = jsonLine(record({ fields }), origin);

    expect(JSON.parse(line)).toEqual({
      level: 30,
      time,
      pid: 42,
      hostname: "web-1",
      msg: "Processed [four-word-task-name]",
      ...fields,
    });
  });

  it("begins with the level and is not overridden by fields of the same name", () => {
    const line = jsonLine(record({ fields: { level: "x", msg: "y" } }), origin);

    expect(line.startsWith('{"level":30,')).toBe(true);
    expect(JSON.parse(line)).toMatchObject({ level: 30, msg: "Processed [four-word-task-name]" });
  });

  it("carries an error as pino's err", () => {
    const error = Object.assign(new TypeError("boom"), { code: "E_BOOM" });

    const line: unknown = JSON.parse(jsonLine(record({ fields: { error } }), origin));

    expect(line).toMatchObject({
      err: { type: "TypeError", message: "boom", code: "E_BOOM", stack: expect.any(String) },
    });
    expect(line).not.toHaveProperty("error");
  });

  it("writes what JSON has no word for, and what contains itself", () => {
    const circle: Record<string, unknown> = { size: 10n };
    circle["self"] = circle;

    const line = jsonLine(record({ fields: { circle } }), origin);

    expect(JSON.parse(line)).toMatchObject({ circle: { size: "10n", self: "[repeated]" } });
  });

  it("is one line, whatever it is given", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything({ withBigInt: true, withDate: true })), (fields) => {
        const line = jsonLine(record({ fields }), origin);
        expect(line.indexOf("\n")).toBe(line.length - 1);
        expect(JSON.parse(line)).toMatchObject({ level: 30 });
      }),
    );
  });
});
