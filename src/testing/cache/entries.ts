import assert from "node:assert/strict";
import type { Cache } from "../../contracts/cache.js";
import { newPlace, openEmpty, type Suite } from "../suite.js";

/** Single entries. */
export function entryPromises(suite: Suite): void {
  suite.describe("entries", () => {
    valuePromises(suite);
    lifetimePromises(suite);
    versionPromises(suite);
  });
}

async function value(cache: Cache, key: string): Promise<string | undefined> {
  return (await cache.get(key))?.value;
}

function valuePromises(suite: Suite): void {
  const { it } = suite;

  it("read back as they were written, whatever the characters", async () => {
    await using backend = await openEmpty(suite);
    const { cache } = backend;
    const strange = "Größe 漢字 👩‍🚀 '\"\\ %_*? \u2028\n";
    const large = "é".repeat(100_000);

    await cache.set(strange, large, null);
    await cache.set("empty", "", null);

    assert.equal(await value(cache, strange), large);
    assert.equal(await value(cache, "empty"), "");
    assert.equal(await cache.get("nothing"), undefined);
  });

  it("are replaced by the next write", async () => {
    await using backend = await openEmpty(suite);

    await backend.cache.set("k", "one", null);
    await backend.cache.set("k", "two", 60_000);

    assert.equal(await value(backend.cache, "k"), "two");
  });

  it("are gone once deleted, and the answer says whether there was one", async () => {
    await using backend = await openEmpty(suite);
    await backend.cache.set("k", "one", null);

    assert.equal(await backend.cache.delete("k"), true);
    assert.equal(await backend.cache.get("k"), undefined);
    assert.equal(await backend.cache.delete("k"), false);
  });

  it("are seen by every opening of the place, and by no other project", async () => {
    const place = newPlace();
    await using backend = await openEmpty(suite, { place });
    await using elsewhere = await openEmpty(suite, { place });
    await using blog = await openEmpty(suite, { place, project: "blog" });
    await backend.cache.set("k", "one", null);

    assert.equal(await value(elsewhere.cache, "k"), "one");
    assert.equal(await blog.cache.get("k"), undefined);
    assert.equal(await blog.cache.delete("k"), false);
    assert.equal(await blog.cache.setIf("k", null, "two", null), true);
    assert.equal(await value(backend.cache, "k"), "one");
  });
}

function lifetimePromises(suite: Suite): void {
  const { it, clock } = suite;

  it("live for their time, and for ever without one", async () => {
    await using backend = await openEmpty(suite);
    const { cache } = backend;
    await cache.set("short", "one", 1_000);
    await cache.set("long", "two", 60_000);
    await cache.set("for ever", "three", null);

    await clock.advance(1_001);

    assert.equal(await cache.get("short"), undefined);
    assert.equal(await value(cache, "long"), "two");
    assert.equal(await value(cache, "for ever"), "three");
    assert.equal(await cache.delete("short"), false);
  });

  it("take the time of the last write", async () => {
    await using backend = await openEmpty(suite);
    const { cache } = backend;
    await cache.set("longer", "one", 1_000);
    await cache.set("longer", "two", null);
    await cache.set("shorter", "one", null);
    await cache.set("shorter", "two", 1_000);

    await clock.advance(1_001);

    assert.equal(await value(cache, "longer"), "two");
    assert.equal(await cache.get("shorter"), undefined);
  });
}

function versionPromises(suite: Suite): void {
  const { it, clock } = suite;

  it("are created by setIf only when absent or expired", async () => {
    await using backend = await openEmpty(suite);
    const { cache } = backend;

    assert.equal(await cache.setIf("k", null, "one", 1_000), true);
    assert.equal(await cache.setIf("k", null, "two", null), false);
    assert.equal(await value(cache, "k"), "one");
    await clock.advance(1_001);
    assert.equal(await cache.setIf("k", null, "three", null), true);
    assert.equal(await value(cache, "k"), "three");
  });

  it("are changed by setIf only when nobody has written since they were read", async () => {
    await using backend = await openEmpty(suite);
    const { cache } = backend;
    await cache.set("k", "one", null);
    const first = await cache.get("k");

    assert.equal(await cache.setIf("k", first!.version, "two", null), true);
    assert.equal(await cache.setIf("k", first!.version, "three", null), false);
    assert.equal(await value(cache, "k"), "two");
  });

  it("have a new version after every write, of the same value too, and after a delete", async () => {
    await using backend = await openEmpty(suite);
    const { cache } = backend;
    const versions: string[] = [];
    for (let round = 0; round < 3; round++) {
      await cache.set("k", "same", null);
      versions.push((await cache.get("k"))!.version);
      await cache.set("k", "same", null);
      versions.push((await cache.get("k"))!.version);
      await cache.delete("k");
    }
    await cache.set("k", "same", null);

    assert.equal(new Set(versions).size, 6);
    for (const version of versions) assert.equal(await cache.setIf("k", version, "stale", null), false);
  });

  it("cannot be changed by setIf once they are gone", async () => {
    await using backend = await openEmpty(suite);
    const { cache } = backend;
    await cache.set("deleted", "one", null);
    await cache.set("expired", "one", 1_000);
    const deleted = await cache.get("deleted");
    const expired = await cache.get("expired");

    await cache.delete("deleted");
    await clock.advance(1_001);

    assert.equal(await cache.setIf("deleted", deleted!.version, "two", null), false);
    assert.equal(await cache.setIf("expired", expired!.version, "two", null), false);
    assert.equal(await cache.get("deleted"), undefined);
  });

  it("are created by one of many writers", async () => {
    const place = newPlace();
    await using backend = await openEmpty(suite, { place });
    await using elsewhere = await openEmpty(suite, { place });
    const writers = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? backend : elsewhere));

    const answers = await Promise.all(writers.map(({ cache }, index) => cache.setIf("k", null, `w${index}`, null)));

    assert.equal(answers.filter(Boolean).length, 1);
    assert.equal(await value(backend.cache, "k"), `w${answers.indexOf(true)}`);
  });

  it("lose no step of a counter that many writers count up", async () => {
    const place = newPlace();
    await using backend = await openEmpty(suite, { place });
    await using elsewhere = await openEmpty(suite, { place });
    const writers = Array.from({ length: 6 }, (_, index) => (index % 2 === 0 ? backend : elsewhere));

    await Promise.all(
      writers.map(async ({ cache }) => {
        for (let step = 0; step < 10; step++) await countUp(cache);
      }),
    );

    assert.equal(await value(backend.cache, "counter"), "60");
  });
}

async function countUp(cache: Cache): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    const entry = await cache.get("counter");
    const next = String(Number(entry?.value ?? 0) + 1);
    if (await cache.setIf("counter", entry?.version ?? null, next, null)) return;
  }
  throw new Error("Expected one of 1,000 tries to count up to be the first, and none was.");
}
