import { describe, expect, it } from "vitest";
import { createLogger, type LoggerOptions } from "./logger.js";

function logging(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const logger = createLogger({
    write: (text) => void lines.push(text),
    clock: { now: () => 0 },
    level: "info",
    format: "pretty",
    origin: { pid: 1, hostname: "h" },
    ...options,
  });
  return { lines, logger };
}

describe("createLogger", () => {
  it.each([
    ["debug", ["DEBUG", "INFO", "WARNING", "ERROR"]],
    ["info", ["INFO", "WARNING", "ERROR"]],
    ["warn", ["WARNING", "ERROR"]],
    ["error", ["ERROR"]],
    ["silent", []],
    ["INF0", ["INFO", "WARNING", "ERROR"]],
  ])("writes from level %s on (P054)", (level, expected) => {
    const { lines, logger } = logging({ level });

    for (const at of ["debug", "info", "warn", "error"] as const) logger[at]("x");

    expect(lines.map((line) => line.split(" ")[2])).toEqual(expected);
  });

  it("puts its own fields on every line, those of the line first", () => {
    const { lines, logger } = logging({ format: "json", fields: { cluster: "a-b-c-d", worker: "w" } });

    logger.info("Processed [x]", { worker: "other" });

    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ cluster: "a-b-c-d", worker: "other", msg: "Processed [x]" });
  });

  it("does not throw when a line cannot be written", () => {
    const { logger } = logging({
      write: () => {
        throw new Error("disk full");
      },
    });

    expect(() => logger.error("x")).not.toThrow();
  });

  it("leaves the fields out when one cannot be read, and keeps the message", () => {
    const hostile = {
      get a(): never {
        throw new Error("no");
      },
    };
    const { lines, logger } = logging({ format: "json" });

    logger.error("one", hostile);
    logger.error("two", { deep: hostile });

    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([{ msg: "one" }, { msg: "two" }]);
  });
});
