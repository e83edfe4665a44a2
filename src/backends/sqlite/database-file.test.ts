import { existsSync, mkdirSync, renameSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { connectTo, openOn, rowsOf, temporaryFile } from "../../../test/support/sqlite-file.js";
import { manualClock } from "../../testing/manual-clock.js";
import { consumer } from "../../testing/messages.js";
import { newTask } from "../../testing/tasks.js";
import type { ClusterStatus } from "../../contracts/store.js";

const status = { clusterId: "c1", name: "shop", running: [] } as unknown as ClusterStatus;

describe("where the file is", () => {
  it("creates the folder, and lives beside the tables of an application", async () => {
    const location = join(dirname(temporaryFile()), "data", "deeper", "app.db");
    mkdirSync(dirname(location), { recursive: true });
    const application = connectTo(location);
    application.exec("CREATE TABLE review (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO review VALUES (1, 'good')");

    const backend = await openOn(location);
    await backend.store.submit([newTask("a")]);

    const ours = rowsOf<{ name: string }>(application, "SELECT name FROM sqlite_schema WHERE name <> 'review'");
    expect(rowsOf<object>(application, "SELECT * FROM review").map((row) => ({ ...row }))).toEqual([
      { id: 1, text: "good" },
    ]);
    expect(ours.every(({ name }) => /^(qluster_|sqlite_)/.test(name))).toBe(true);
  });

  it.each([":memory:", ""])('refuses "%s", and says why', async (location) => {
    await expect(openOn(location)).rejects.toMatchObject({
      code: "QLUSTER_CONFIG",
      message: expect.stringMatching(/memory of one process.*sqlite:data\/qluster\.db/s) as string,
    });
  });

  it("says that it cannot be used when the folder cannot be created", async () => {
    const file = temporaryFile();
    writeFileSync(file, "");

    await expect(openOn(join(file, "q.db"))).rejects.toMatchObject({ code: "QLUSTER_STORE_UNAVAILABLE" });
  });

  it("says that a file is no database, and leaves it as it is", async () => {
    const file = temporaryFile();
    writeFileSync(file, "The quick brown fox jumps over the lazy dog. ".repeat(100));
    const { size } = statSync(file);

    await expect(openOn(file)).rejects.toMatchObject({ code: "QLUSTER_STORE_DAMAGED" });
    expect(statSync(file).size).toBe(size);
  });
});

describe("a file that is not the one any more", () => {
  const gone = { code: "QLUSTER_STORE_REPLACED" };

  it("is noticed by heartbeat and renewal when it was deleted", async () => {
    const location = temporaryFile();
    const backend = await openOn(location);
    const owner = await consumer(backend.broker);

    unlinkSync(location);

    await expect(backend.store.beat(status, 1_000)).rejects.toMatchObject({
      ...gone,
      message: expect.stringMatching(/was deleted while it was open.*start again/s) as string,
    });
    await expect(owner.renew([])).rejects.toMatchObject(gone);
    await expect(backend.broker.ping()).rejects.toMatchObject(gone);
  });

  it("is noticed within a second by a producer that only submits", async () => {
    const location = temporaryFile();
    const clock = manualClock();
    const { store } = await openOn(location, {}, clock);
    await store.submit([newTask("stored")]);

    unlinkSync(location);
    await clock.advance(1_000);

    await expect(store.submit([newTask("written to a ghost")])).rejects.toMatchObject(gone);
    await expect(store.submit([newTask("written to a ghost too")])).rejects.toMatchObject(gone);
  });

  it("is noticed when another file has taken its place, and closing the old one does the new one no harm", async () => {
    const location = temporaryFile();
    const old = await openOn(location);
    await old.store.submit([newTask("written to a ghost")]);
    for (const end of ["", "-wal", "-shm"]) renameSync(`${location}${end}`, `${location}${end}.old`);
    const fresh = await openOn(location);
    await fresh.store.submit([newTask("kept")]);

    await expect(old.store.beat(status, 1_000)).rejects.toMatchObject({
      ...gone,
      message: expect.stringMatching(/was replaced while it was open/) as string,
    });
    await old[Symbol.asyncDispose]();

    expect(existsSync(`${location}-wal`)).toBe(true);
    expect(await (await openOn(location)).broker.queueSize()).toBe(1);
    expect(await fresh.broker.list("q", { limit: 10 })).toMatchObject([{ envelope: "kept" }]);
  });

  it("is only away for a while when its whole folder is", async () => {
    const location = temporaryFile();
    const folder = dirname(location);
    const backend = await openOn(location);
    const owner = await consumer(backend.broker);

    renameSync(folder, `${folder}-away`);
    await expect(owner.renew([])).rejects.toMatchObject({ code: "QLUSTER_STORE_UNAVAILABLE" });
    await expect(backend.store.submit([newTask("a")])).rejects.toMatchObject({ code: "QLUSTER_STORE_UNAVAILABLE" });
    renameSync(`${folder}-away`, folder);

    await owner.renew([]);
    await backend.store.submit([newTask("a")]);
    expect(await backend.broker.queueSize("q")).toBe(1);
  });
});
