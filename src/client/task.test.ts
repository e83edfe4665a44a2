import { expect, it } from "vitest";
import { z } from "zod";
import { taskByFunction, taskByName } from "../core/registry.js";
import { InvalidDurationError, OptionError, TooLongError, UnknownFunctionError } from "../errors.js";
import { ref, task } from "./task.js";

const plain = (): number => 1;
const later = (): number => 2;
const late = (): number => 1;

it("gives a function a stable name, and leaves it callable (P061)", () => {
  const add = task("made.add", function add(this: { readonly base: number } | undefined, a: number, b: number) {
    return (this?.base ?? 0) + a + b;
  });

  expect(add.taskName).toBe("made.add");
  expect(add.call(undefined, 1, 2)).toBe(3);
  expect(add.call({ base: 10 }, 1, 2)).toBe(13);
  expect([add.name, add.length]).toEqual(["add", 2]);
  expect(taskByName("made.add")).toMatchObject({ name: "made.add", options: {} });
});

it("is found by the function, by the task, and by the task with options (P061)", () => {
  const made = task("made.found", plain);

  expect(taskByFunction(plain)?.name).toBe("made.found");
  expect(taskByFunction(made)?.name).toBe("made.found");
  expect(made.with({ group: "g" }).taskName).toBe("made.found");
});

it("never changes what it was given (P067, P068)", () => {
  const options = { group: "g", attempts: undefined };
  const made = task("made.unchanged", () => 1, options);

  const other = made.with({ group: "other" });

  expect(options).toEqual({ group: "g", attempts: undefined });
  expect(other).not.toBe(made);
});

it("takes the later definition of a name, as when a module is loaded again", () => {
  task("made.twice", () => 1);

  task("made.twice", later);

  expect(taskByName("made.twice")?.run).toBe(later);
});

it.each<[string, () => unknown, new (...args: never[]) => Error, RegExp]>([
  ["an empty name", () => task("", () => 1), OptionError, /name of a task is ""/],
  ["a name that is too long (P097)", () => task("n".repeat(257), () => 1), TooLongError, /257/],
  [
    "something that is no function",
    () => task("made.bad", 5 as never),
    OptionError,
    /function of the task "made\.bad" is 5/,
  ],
  [
    "a bad option, where it is written",
    () => task("made.bad", () => 1, { timeout: "5 min" as never }),
    InvalidDurationError,
    /timeout/,
  ],
  [
    "an unknown option",
    () => task("made.bad", () => 1, { atempts: 3 } as never),
    OptionError,
    /Did you mean attempts\?/,
  ],
  [
    "an input that is no schema",
    () => task("made.bad", () => 1, { input: {} as never }),
    OptionError,
    /made\.bad.*expected a Standard Schema/,
  ],
  ["a bad option of with", () => task("made.good", () => 1).with({ priority: 101 }), OptionError, /priority is 101/],
  [
    "input in with",
    () => task("made.good", () => 1).with({ input: z.tuple([]) } as never),
    OptionError,
    /belongs to task\(\)/,
  ],
  [
    "options that are none",
    () => task("made.good", () => 1).with(5 as never),
    OptionError,
    /expected an object of options/,
  ],
  ["a bad option of ref", () => ref("x", { group: "" }), OptionError, /group is ""/],
  ["a ref to nothing", () => ref(undefined as never), OptionError, /ref\(\) got undefined/],
  ["an empty name in ref", () => ref(""), OptionError, /name of a task is ""/],
])("refuses %s", (_, attempt, type, message) => {
  expect(attempt).toThrow(type);
  expect(attempt).toThrow(message);
});

it("lets a ref to a plain function find its name when it is used", () => {
  const early = ref(late, { group: "g" });
  expect(() => early.taskName).toThrow(UnknownFunctionError);

  task("made.late", late);

  expect(early.taskName).toBe("made.late");
  expect(early.with({ group: "other" }).taskName).toBe("made.late");
});
