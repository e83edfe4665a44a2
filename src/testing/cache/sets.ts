import assert from "node:assert/strict";
import { newPlace, openEmpty, type Suite } from "../suite.js";

/** Sets of members, as cached groups need them. */
export function setPromises(suite: Suite): void {
  suite.describe("sets", () => {
    memberPromises(suite);
    lifetimePromises(suite);
  });
}

function memberPromises(suite: Suite): void {
  const { it } = suite;

  it("have each member once, and say how many there are (P127)", async () => {
    await using backend = await openEmpty(suite);
    const { cache } = backend;

    assert.equal(await cache.addMembers("s", ["a", "b", "a"], null), 2);
    assert.equal(await cache.addMembers("s", ["b", "漢字"], null), 3);
    assert.equal(await cache.addMembers("s", [], null), 3);

    assert.deepEqual((await cache.members("s")).toSorted(), ["a", "b", "漢字"]);
    assert.deepEqual(await cache.members("nothing"), []);
  });

  it("lose no member when many add at the same time (P126)", async () => {
    const place = newPlace();
    await using backend = await openEmpty(suite, { place });
    await using elsewhere = await openEmpty(suite, { place });
    const names = Array.from({ length: 180 }, (_, index) => `m${index}`);

    const sizes = await Promise.all(
      names.map((name, index) => (index % 2 === 0 ? backend : elsewhere).cache.addMembers("s", [name], 60_000)),
    );

    assert.deepEqual((await backend.cache.members("s")).toSorted(), names.toSorted());
    assert.equal(Math.max(...sizes), 180);
  });

  it("hold 1,000 members", async () => {
    await using backend = await openEmpty(suite);
    const names = Array.from({ length: 1_000 }, (_, index) => `m${index}`);

    assert.equal(await backend.cache.addMembers("s", names, null), 1_000);
    assert.equal((await backend.cache.members("s")).length, 1_000);
  });

  it("are deleted as a whole", async () => {
    await using backend = await openEmpty(suite);
    await backend.cache.addMembers("s", ["a", "b"], null);

    assert.equal(await backend.cache.delete("s"), true);
    assert.deepEqual(await backend.cache.members("s"), []);
    assert.equal(await backend.cache.addMembers("s", ["c"], null), 1);
  });

  it("are seen by every opening of the place, and by no other project", async () => {
    const place = newPlace();
    await using backend = await openEmpty(suite, { place });
    await using elsewhere = await openEmpty(suite, { place });
    await using blog = await openEmpty(suite, { place, project: "blog" });
    await backend.cache.addMembers("s", ["a"], null);

    assert.deepEqual(await elsewhere.cache.members("s"), ["a"]);
    assert.deepEqual(await blog.cache.members("s"), []);
    assert.equal(await blog.cache.addMembers("s", ["b"], null), 1);
  });
}

function lifetimePromises(suite: Suite): void {
  const { it, clock } = suite;

  for (const [what, first, second] of [
    ["a longer time that comes later", 1_000, 60_000],
    ["a longer time that came earlier", 60_000, 1_000],
    ["no limit that comes later", 1_000, null],
    ["no limit that came earlier", null, 1_000],
  ] as const) {
    it(`live as long as their longest time: ${what}`, async () => {
      await using backend = await openEmpty(suite);
      await backend.cache.addMembers("s", ["a"], first);
      await backend.cache.addMembers("s", ["b"], second);

      await clock.advance(1_001);

      assert.deepEqual((await backend.cache.members("s")).toSorted(), ["a", "b"]);
    });
  }

  it("are gone after their time, and start anew (P128)", async () => {
    await using backend = await openEmpty(suite);
    await backend.cache.addMembers("s", ["a", "b"], 1_000);

    await clock.advance(1_001);

    assert.deepEqual(await backend.cache.members("s"), []);
    assert.equal(await backend.cache.delete("s"), false);
    assert.equal(await backend.cache.addMembers("s", ["c"], null), 1);
    assert.deepEqual(await backend.cache.members("s"), ["c"]);
  });
}
