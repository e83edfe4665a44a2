import { expect, it } from "vitest";
import type { Entry } from "./entry.js";
import { Reserve } from "./reserve.js";

function entry(id: string, more: Partial<Entry> = {}): Entry {
  return { delivery: { id }, alone: false, waitingSince: 0, ...more } as Entry;
}

function ids(reserve: Reserve): string[] {
  return reserve.all().map((each) => each.delivery.id);
}

it("keeps the order in which messages were taken", () => {
  const reserve = new Reserve();
  reserve.add([entry("a"), entry("b")]);
  reserve.add([entry("c")]);

  reserve.shift();

  expect(ids(reserve)).toEqual(["b", "c"]);
  expect(reserve.first()?.delivery.id).toBe("b");
});

it("puts back in front what was handed out before", () => {
  const reserve = new Reserve();
  reserve.add([entry("c")]);

  reserve.putBack([entry("a"), entry("b")]);

  expect(ids(reserve)).toEqual(["a", "b", "c"]);
});

it("keeps suspects apart, so that they hold up nobody", () => {
  const reserve = new Reserve();

  reserve.add([entry("s", { alone: true }), entry("a")]);

  expect(reserve.first()?.delivery.id).toBe("a");
  expect(reserve.firstSuspect()?.delivery.id).toBe("s");
  expect(reserve.size).toBe(2);
});

it("takes one out by its id, and leaves the others in order", () => {
  const reserve = new Reserve();
  reserve.add([entry("a"), entry("b"), entry("c")]);

  expect(reserve.remove("b")?.delivery.id).toBe("b");
  expect(reserve.remove("unknown")).toBeUndefined();
  expect(ids(reserve)).toEqual(["a", "c"]);
});

it("knows how long the first in line has waited, suspects apart", () => {
  const reserve = new Reserve();
  expect(reserve.oldest()).toBeUndefined();

  reserve.add([entry("a", { waitingSince: 20 }), entry("s", { waitingSince: 10, alone: true })]);

  expect(reserve.oldest()).toBe(20);
  expect(reserve.suspects).toBe(1);
});

it("goes through a hundred thousand without slowing down", () => {
  const reserve = new Reserve();
  reserve.add(Array.from({ length: 100_000 }, (_, place) => entry(String(place))));

  for (let count = 0; count < 99_999; count += 1) reserve.shift();

  expect(ids(reserve)).toEqual(["99999"]);
});
