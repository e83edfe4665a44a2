import { expect, it } from "vitest";
import { LeaseLostError, StoreUnavailableError } from "../errors.js";
import { plainError, reviveError } from "./store-thread-errors.js";

function acrossTheThread(error: unknown): Error {
  return reviveError(structuredClone(plainError(error)));
}

it("keeps class, code, fields and cause of our own errors", () => {
  const error = acrossTheThread(new StoreUnavailableError("locked", { maybeWritten: true, cause: new Error("busy") }));

  expect(error).toBeInstanceOf(StoreUnavailableError);
  expect(error).toMatchObject({
    name: "StoreUnavailableError",
    code: "QLUSTER_STORE_UNAVAILABLE",
    message: "locked",
    maybeWritten: true,
  });
  expect(error.cause).toMatchObject({ message: "busy" });
});

it("keeps a lost lease a lost lease", () => {
  expect(acrossTheThread(new LeaseLostError("c1"))).toBeInstanceOf(LeaseLostError);
});

it.each([[new TypeError("x")], ["a text"], [undefined]])("makes an Error of %o", (thrown) => {
  expect(acrossTheThread(thrown)).toBeInstanceOf(Error);
});
