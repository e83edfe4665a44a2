import { describe, expect, it } from "vitest";
import { connectTo, openOn, rowsOf, temporaryFile } from "../../../test/support/sqlite-file.js";
import type { Migration } from "../sql/migration.js";
import { newTask } from "../../testing/tasks.js";
import { Connection } from "./connection.js";
import { loadDriver } from "./driver.js";
import { migrations } from "./migrations/index.js";
import { SqliteSchema } from "./schema.js";

const clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** Tomorrow's release: one version more than this code has. */
function next(worksFrom: number): Migration {
  const version = migrations.length + 1;
  const sql = "ALTER TABLE qluster_task ADD COLUMN cost INTEGER;";
  return { version, worksFrom, name: "cost", sql };
}

async function schemaOf(location: string, versions: readonly Migration[]): Promise<SqliteSchema> {
  const options = { location, durability: "process", blockMs: 20, retryMs: 2_000 } as const;
  return new SqliteSchema(await Connection.open(await loadDriver(), options, clock), clock, location, versions);
}

describe("the tables", () => {
  it("are brought forward by newer code while older code goes on working (P374)", async () => {
    const location = temporaryFile();
    const old = await openOn(location);
    await old.store.submit([newTask("before")]);

    const applied = await (await schemaOf(location, [...migrations, next(1)])).migrate();

    expect(applied).toEqual([migrations.length + 1]);
    expect(await old.store.submit([newTask("after")])).toMatchObject([{ created: true }]);
    const opened = await openOn(location);
    expect(await opened.broker.queueSize()).toBe(2);
    expect(await opened.schema.status()).toMatchObject({ version: migrations.length + 1, wanted: migrations.length });
  });

  it("refuse code that is older than they can work with, and say which release it takes", async () => {
    const location = temporaryFile();
    const own = migrations.length;
    await (await schemaOf(location, [...migrations, next(own + 1)])).migrate();

    await expect(openOn(location)).rejects.toMatchObject({
      code: "QLUSTER_SCHEMA",
      message: expect.stringMatching(
        new RegExp(`works with code from version ${own + 1} on; this code has version ${own}.*newer release`),
      ) as string,
    });
  });

  it("refuse code that is newer than they are, and name the command", async () => {
    const location = temporaryFile();
    await openOn(location);
    const own = migrations.length;
    const schema = await schemaOf(location, [...migrations, next(1)]);

    expect(() => schema.assertUsable()).toThrow(
      new RegExp(`have version ${own}, and this code needs version ${own + 1}.*npx qluster migrate`),
    );
  });

  it("are all there or not at all when a version fails in the middle", async () => {
    const location = temporaryFile();
    const broken = { ...next(1), sql: "CREATE TABLE qluster_half (a); CREATE TABLE qluster_task (a);" };
    const schema = await schemaOf(location, [...migrations, broken]);

    await expect(schema.migrate()).rejects.toThrow(/already exists/);

    expect((await schema.status()).version).toBe(migrations.length);
    const names = rowsOf<{ name: string }>(connectTo(location), "SELECT name FROM sqlite_schema");
    expect(names.map(({ name }) => name)).not.toContain("qluster_half");
  });

  it("are made once when many open a new file at the same moment", async () => {
    const location = temporaryFile();

    const opened = await Promise.all(Array.from({ length: 8 }, () => openOn(location)));

    await Promise.all(opened.map(({ store }, n) => store.submit([newTask(`t${n}`)])));
    expect(await (await openOn(location)).broker.queueSize()).toBe(8);
    expect(rowsOf(connectTo(location), "SELECT version FROM qluster_schema")).toHaveLength(migrations.length);
    expect(rowsOf(connectTo(location), "SELECT seq FROM qluster_project")).toHaveLength(1);
  });

  it("count their versions up from 1 without a gap", () => {
    expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, index) => index + 1));
    expect(migrations.every(({ version, worksFrom }) => worksFrom >= 1 && worksFrom <= version)).toBe(true);
  });
});
