import { describe, expect, it, vi } from "vitest";
import { temporaryFile } from "../../../test/support/sqlite-file.js";
import { libsqlDriver, loadDriver, nodeDriver } from "./driver.js";

const drivers = [nodeDriver(), await libsqlDriver()].filter((driver) => driver !== undefined);

describe.each(drivers)("the driver $name", (driver) => {
  it("binds texts, numbers and null, also a lone null", () => {
    const database = driver.open(temporaryFile());

    const one = database.prepare("SELECT ? AS value").all([null]);
    const many = database.prepare("SELECT ? AS a, ? AS b, ? AS c").all<object>(["ü 👩‍🚀", 1_790_000_000_123, null]);

    expect(one.map((row) => ({ ...(row as object) }))).toEqual([{ value: null }]);
    expect({ ...many[0] }).toEqual({ a: "ü 👩‍🚀", b: 1_790_000_000_123, c: null });
    database.close();
  });

  it("says how many rows a statement changed", () => {
    const database = driver.open(temporaryFile());
    database.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)");

    expect(database.prepare("UPDATE t SET a = a + ? WHERE a > ?").run([1, 1])).toBe(2);
    database.close();
  });
});

it("is the one that Node brings, where it brings one", async () => {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const hasOwn = major > 22 || (major === 22 && minor >= 13);

  expect((await loadDriver()).name).toBe(hasOwn ? "node:sqlite" : "libsql");
});

it("leaves no warning on the screen, and every other warning where it was", () => {
  const emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);

  nodeDriver();
  process.emitWarning("something else", "ExperimentalWarning");

  expect(emitWarning.mock.calls).toEqual([["something else", "ExperimentalWarning"]]);
  emitWarning.mockRestore();
});

it("says how to install libsql where it is missing (P005)", async () => {
  vi.doMock("libsql", () => {
    throw new Error("Cannot find module '@libsql/linux-x64-gnu'");
  });

  await expect(libsqlDriver()).rejects.toMatchObject({
    code: "QLUSTER_CLIENT_MISSING",
    message: expect.stringMatching(/npm install libsql/) as string,
  });
  vi.doUnmock("libsql");
});
