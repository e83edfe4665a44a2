import { expect, it } from "vitest";
import { taskByFunction, taskByName } from "./registry.js";

it("knows the functions of Math by name and by identity", () => {
  expect(taskByName("Math.max")?.run).toBe(Math.max);
  expect(taskByFunction(Math.max)?.name).toBe("Math.max");
});

it.each(["Math.constructor", "Math.valueOf", "Math.toString", "Math.__proto__", "Math.PI", "Math.nothing"])(
  "knows no task %s, which is no function of Math's own",
  (name) => {
    expect(taskByName(name)).toBeUndefined();
  },
);

it("knows no task of what Math only inherits", () => {
  // oxlint-disable-next-line typescript/unbound-method -- only compared
  expect(taskByFunction(Math.valueOf)).toBeUndefined();
});
