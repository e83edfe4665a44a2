import { expect, it } from "vitest";
import { Held } from "./held.js";

it("knows what a consumer holds until it is let go of", () => {
  const held = new Held();
  held.open("c");
  held.add("c", ["a", "b"]);

  held.remove("c", ["a"], held.turn());

  expect(held.of("c")).toEqual(["b"]);
  expect([held.count("c"), held.count("unknown")]).toEqual([1, 0]);
});

it("keeps what was given back and taken again before the answer to giving back was read", () => {
  const held = new Held();
  held.open("c");
  held.add("c", ["a", "b"]);
  const turn = held.turn();
  held.add("c", ["a"]);

  held.remove("c", ["a", "b"], turn);

  expect(held.of("c")).toEqual(["a"]);
});
