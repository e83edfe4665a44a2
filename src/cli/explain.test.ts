import { describe, expect, it } from "vitest";
import { ConfigError, StoreUnavailableError } from "../errors.js";
import { ConfigFileError } from "./config-file-error.js";
import { explain } from "./explain.js";
import { UsageError } from "./usage-error.js";

describe("what a command says when it ends with an error", () => {
  it.each([
    [new UsageError("x"), 2],
    [new ConfigError(["x"]), 2],
    [new ConfigFileError("x"), 2],
    [new StoreUnavailableError("x"), 3],
    [new Error("x"), 1],
    ["x", 1],
  ])("gives the shell a number that says whether trying again helps (P411): %s", (error, code) => {
    expect(explain(error).code).toBe(code);
  });

  it("is the message, its code and the causes, without a stack", () => {
    const cause = new Error("the folder is gone", { cause: new Error("ENOENT") });

    expect(explain(new StoreUnavailableError("shop.db cannot be opened.", { cause })).lines).toEqual([
      "shop.db cannot be opened. (QLUSTER_STORE_UNAVAILABLE)",
      "  because: the folder is gone",
      "  because: ENOENT",
    ]);
  });

  it("does not repeat what the message has quoted", () => {
    const cause = new Error("no such host");

    expect(explain(new StoreUnavailableError("db: no such host.", { cause })).lines).toHaveLength(1);
  });

  it("shows an error that is not ours whole, so that it can be reported", () => {
    expect(explain(new TypeError("oops")).lines.join("\n")).toMatch(/TypeError: oops\n\s+at /);
  });
});
