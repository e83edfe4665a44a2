import { expect, it } from "vitest";
import { toErrorRecord } from "./error-record.js";

it("keeps the name, the message and the chain of causes", () => {
  const record = toErrorRecord(new TypeError("outer", { cause: new Error("inner") }));

  expect(record).toMatchObject({ name: "TypeError", message: "outer" });
  expect(record.stack).toMatch(/outer[^]*Caused by: Error: inner/);
});

it.each([["a text"], [42], [null], [undefined], [{ a: 1 }], [Symbol("s")]])(
  "takes %o, as anything may be thrown",
  (thrown) => {
    expect(toErrorRecord(thrown)).toMatchObject({ name: "NonError", stack: null });
  },
);

it("ends on a chain of causes that bites its tail", () => {
  const error = new Error("a");
  error.cause = error;

  expect(toErrorRecord(error).message).toBe("a");
});

it("cuts what would fill a database, and says by how much", () => {
  const { message } = toErrorRecord(new Error("x".repeat(10_000)));

  expect(message.length).toBeLessThan(4_200);
  expect(message).toMatch(/5904 characters more/);
});

it("survives an error whose getters throw", () => {
  const error = new Error("e");
  Object.defineProperty(error, "message", {
    get() {
      throw new Error("no");
    },
  });

  expect(toErrorRecord(error).name).toBe("Error");
});
