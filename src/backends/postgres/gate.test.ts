import { expect, it } from "vitest";
import { Gate } from "./gate.js";

it("lets in as many as there are places, and the others in the order in which they came", async () => {
  const gate = new Gate(2);
  const entered: number[] = [];
  const all = [1, 2, 3, 4].map(async (n) => {
    await gate.enter();
    entered.push(n);
  });
  await Promise.all(all.slice(0, 2));
  expect(entered).toEqual([1, 2]);

  gate.leave();
  await all[2];
  gate.leave();
  await all[3];

  expect(entered).toEqual([1, 2, 3, 4]);
});

it("turns away all who wait when nobody can be let in, and goes on with those who come later", async () => {
  const gate = new Gate(1);
  await gate.enter();
  const waiting = [gate.enter(), gate.enter()];

  gate.turnAway(new Error("away"));

  for (const one of waiting) await expect(one).rejects.toThrow("away");
  gate.leave();
  await gate.enter();
});
