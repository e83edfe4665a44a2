import { expect, it } from "vitest";
import { member } from "../../testing/flow/flows.js";
import { ChainsAhead } from "./chains-ahead.js";

const outcome = { to: "succeeded", result: "1", keep: true } as const;

it("foresees what follows a link that was queued here, once", () => {
  const chains = new ChainsAhead<{ id: string }>();
  const [link, task] = [member(3, { run: 2 }), member(4)];
  chains.remember({ id: "a" }, link, task);

  const [first, second] = [chains.recall(link.id, outcome), chains.recall(link.id, outcome)];

  expect(first).toEqual({
    flow: { id: "a" },
    task,
    outcome: { place: 3, run: 2, state: "succeeded", result: "1", error: null },
  });
  expect(second).toBeUndefined();
});

it("forgets the oldest of very many chains", () => {
  const chains = new ChainsAhead<{ id: string }>();
  const links = Array.from({ length: 1_001 }, (_, place) => member(place));
  for (const link of links) chains.remember({ id: "a" }, link, member(0));

  const known = links.map(({ id }) => chains.recall(id, outcome) !== undefined);

  expect(known.indexOf(true)).toBe(1);
  expect(known.filter(Boolean)).toHaveLength(1_000);
});
