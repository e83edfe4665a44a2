import assert from "node:assert/strict";
import type { Backend } from "../contracts/backend.js";
import { consumer, idOf, message } from "./messages.js";
import { newPlace, openEmpty, type Suite } from "./suite.js";
import { newTask, runTask, stored } from "./tasks.js";

export interface SchemaSuite extends Suite {
  /** Whether the backend has tables that must be made before it works. */
  readonly tables: boolean;
}

/** The promises every backend keeps about its tables (P374). Works with any runner that has `describe` and `it`. */
export function schemaSuite(suite: SchemaSuite): void {
  suite.describe("schema", () => {
    currentPromises(suite);
    if (suite.tables) {
      missingPromises(suite);
      migrationPromises(suite);
    }
  });
}

function currentPromises(suite: Suite): void {
  const { it } = suite;

  it("is current after opening with migrations, and has nothing left to apply", async () => {
    await using backend = await openEmpty(suite);

    const { version, wanted, worksFrom } = await backend.schema.status();

    assert.equal(version, wanted);
    assert.ok(worksFrom <= wanted, `works from ${worksFrom}, and this is ${wanted}`);
    assert.deepEqual(await backend.schema.migrate(), []);
    assert.equal(await backend.schema.sql("pending"), "");
  });

  it("keeps what is stored when a backend is opened and migrated again", async () => {
    const place = newPlace();
    await using backend = await openEmpty(suite, { place });
    await runTask(backend, newTask("t"));

    await using again = await openEmpty(suite, { place });
    await again.schema.migrate();

    assert.equal((await stored(again, "t")).result, "result of t");
  });
}

function missingPromises(suite: Suite): void {
  const { it } = suite;

  it("can be asked while there are no tables, and all else says that they are missing", async () => {
    await using backend = await openEmpty(suite, { migrate: false });

    const status = await backend.schema.status();

    assert.equal(status.version, 0);
    assert.ok(status.wanted >= 1, `wanted is ${status.wanted}`);
    for (const call of [
      () => backend.store.submit([newTask("t")]),
      () => backend.store.get([idOf("t")]),
      () => backend.broker.enqueue("q", [message("m")]),
      () => backend.broker.queueSize(),
      () => consumer(backend.broker),
      () => backend.cache.get("k"),
    ]) {
      await assert.rejects(call, { code: "QLUSTER_SCHEMA" });
    }
  });
}

function migrationPromises(suite: Suite): void {
  const { it } = suite;

  it("is applied version by version, in order, and once", async () => {
    await using backend = await openEmpty(suite, { migrate: false });
    const { wanted } = await backend.schema.status();

    const applied = await backend.schema.migrate();

    assert.deepEqual(applied, versionsUpTo(wanted));
    assert.equal((await backend.schema.status()).version, wanted);
    assert.deepEqual(await backend.schema.migrate(), []);
  });

  it("makes a backend work that was opened before it", async () => {
    const place = newPlace();
    await using early = await openEmpty(suite, { place, migrate: false });
    await using other = await openEmpty(suite, { place, migrate: false });

    await other.schema.migrate();

    await runTask(early, newTask("t"));
    assert.equal((await stored(other, "t")).result, "result of t");
  });

  it("is applied once when several processes start at the same time", async () => {
    const place = newPlace();
    const backends: Backend[] = [];
    for (let index = 0; index < 4; index++) backends.push(await openEmpty(suite, { place, migrate: false }));

    const applied = await Promise.all(backends.map(({ schema }) => schema.migrate()));

    const { wanted } = await backends[0]!.schema.status();
    assert.deepEqual(
      applied.flat().sort((a, b) => a - b),
      versionsUpTo(wanted),
    );
    for (const backend of backends) await backend[Symbol.asyncDispose]();
  });

  it("can be read as SQL: all of it, or what is pending", async () => {
    await using backend = await openEmpty(suite, { migrate: false });
    const all = await backend.schema.sql("all");
    const pending = await backend.schema.sql("pending");

    await backend.schema.migrate();

    assert.equal(pending, all);
    assert.match(all, /create table/i);
    assert.equal(await backend.schema.sql("all"), all);
    assert.equal(await backend.schema.sql("pending"), "");
  });
}

function versionsUpTo(wanted: number): number[] {
  return Array.from({ length: wanted }, (_, index) => index + 1);
}
