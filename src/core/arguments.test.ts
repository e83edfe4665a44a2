import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { ArgumentsError } from "../errors.js";
import { checkArguments } from "./arguments.js";
import type { TaskDefinition } from "./registry.js";

function taskWith(input: unknown): TaskDefinition {
  return {
    name: "images.resize",
    run: () => {},
    options: {},
    source: undefined,
    input: input as TaskDefinition["input"],
  };
}

describe.each([
  ["zod", z.tuple([z.string(), z.int()])],
  ["valibot", v.tuple([v.string(), v.pipe(v.number(), v.integer())])],
  ["arktype", type(["string", "number.integer"])],
])("checkArguments with a schema of %s", (_, input) => {
  it("lets fitting arguments through", () => {
    expect(checkArguments(taskWith(input), ["a1", 300])).toEqual(["a1", 300]);
  });

  it("names the place of the fault", () => {
    const check = (): unknown => checkArguments(taskWith(input), ["a1", "wide"]);

    expect(check).toThrow(ArgumentsError);
    expect(check).toThrow(/"images.resize".*args\[1\]/);
  });
});

it("waits for a schema that answers with a promise", async () => {
  const input = z.tuple([z.string().refine(async (text) => await Promise.resolve(text !== "bad"), "is bad")]);

  await expect(checkArguments(taskWith(input), ["good"])).resolves.toEqual(["good"]);
  await expect(checkArguments(taskWith(input), ["bad"])).rejects.toThrow(/args\[0\]: is bad/);
});

it("takes any arguments without a schema", () => {
  expect(checkArguments(taskWith(undefined), [1, "x"])).toEqual([1, "x"]);
});
