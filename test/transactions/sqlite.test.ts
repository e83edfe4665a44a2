import { dirname, join } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import { sql } from "drizzle-orm";
import createKnex from "knex";
import { describe, expect, it, onTestFinished } from "vitest";
import { createQluster, link, previous, ref, signals } from "../../src/index.js";
import type { Qluster, Schedule } from "../../src/index.js";
import { secret } from "../support/run-queued.js";
import { openBackendWith } from "../../src/backends/sqlite/index.js";
import { openOn, temporaryFile } from "../support/sqlite-file.js";
import type { Library } from "./library.js";
import { describePromises, echo, type Place } from "./promises.js";
import { drizzleInTurn, sqliteLibraries } from "./sqlite-libraries.js";

describePromises(sqliteLibraries, preparePlace);

describe("inside db.transaction of a synchronous library, which waits for nothing", () => {
  it("commits the task with the row (P088)", async () => {
    const { q, db } = await withHandle();
    let id: Promise<string> | undefined;

    db.transaction(() => {
      db.prepare("INSERT INTO item VALUES ('a')").run();
      id = q.in(db).asyncTask(echo, 1);
      void q.in(db).asyncTasks([link(echo, 2)]);
    })();

    expect(db.prepare("SELECT count(*) AS n FROM qluster_message").get()).toEqual({ n: 2 });
    expect((await q.status(await id!))?.state).toBe("queued");
  });

  it("commits a schedule with the row, and rolls both back with a name that is taken (P183, P430)", async () => {
    const { q, db } = await withHandle();
    const insert = db.prepare("INSERT INTO item VALUES ('a')");
    const rule = { type: "DAILY", name: "report", timeZone: "Europe/Moscow", args: [1] } as const;
    let made: Promise<Schedule> | undefined;

    db.transaction(() => {
      insert.run();
      made = q.in(db).schedule(echo, rule);
    })();
    const refused = db.transaction(() => {
      insert.run();
      void q.in(db).schedule(echo, rule);
    });

    expect(refused).toThrow(/named "report" already/);
    expect(db.prepare("SELECT name FROM qluster_schedule").all()).toEqual([{ name: "report" }]);
    expect(db.prepare("SELECT count(*) AS n FROM item").get()).toEqual({ n: 1 });
    expect((await made!).description).toBe((await q.schedules.get("report"))?.description);
  });

  it("commits a chain and an iterable with the row, and refuses what it would have to wait for (P147, P132)", async () => {
    const { q, db } = await withHandle();
    const opened: Promise<string>[] = [];

    db.transaction(() => {
      opened.push(q.in(db).asyncChain([link(echo, 1), link(echo, previous())]));
      opened.push(q.in(db).asyncIter(echo, new Set([[1], [2], [3]] as const)));
      opened.push(q.in(db).asyncIter(echo, []));
    })();
    const waiting = db.transaction(() => {
      void q.in(db).asyncIter(
        echo,
        (async function* numbers() {
          yield [1] as const;
        })(),
      );
    });

    expect(waiting).toThrow(/asynchronous iterable cannot be waited for/);
    const flows = await Promise.all(opened.map(async (id) => await q.flow(await id)));
    expect(flows.map((flow) => [flow?.kind, flow?.size, flow?.state])).toEqual([
      ["chain", 2, "open"],
      ["iter", 3, "open"],
      ["iter", 0, "succeeded"],
    ]);
    expect(await q.queueSize()).toBe(1 + 3);
  });

  it("rolls both back when the function throws, also when what it throws is our refusal", async () => {
    const { q, db } = await withHandle();
    const insert = db.prepare("INSERT INTO item VALUES ('a')");

    const thrown = db.transaction(() => {
      insert.run();
      void q.in(db).asyncTask(echo, 1);
      throw new Error("never mind");
    });
    const refused = db.transaction(() => {
      insert.run();
      void q.in(db).asyncTask(echo, () => "a function");
    });

    expect(thrown).toThrow("never mind");
    expect(refused).toThrow(expect.objectContaining({ code: "QLUSTER_UNENCODABLE" }));
    expect(db.prepare("SELECT name FROM item").all()).toEqual([]);
    expect(await q.queueSize()).toBe(0);
  });

  it("writes on the `tx` of Drizzle on better-sqlite3, and on its savepoints", async () => {
    const { q, file } = await withHandle();
    const { db, close } = drizzleInTurn(file);
    onTestFinished(close);

    db.transaction((tx) => {
      tx.run(sql.raw("INSERT INTO item VALUES ('a')"));
      void q.in(tx).asyncTask(echo, "kept");
      const dropped = () =>
        tx.transaction((inner) => {
          void q.in(inner).asyncTask(echo, "dropped");
          throw new Error("inner");
        });
      expect(dropped).toThrow("inner");
    });

    expect(await q.queueSize()).toBe(1);
    expect(() => q.in(db)).toThrow(/not a transaction/);
  });

  it("takes the ambient transaction", async () => {
    const { q, db } = await withHandle();

    const failing = db.transaction(() => {
      q.withTransaction(db, () => void q.asyncTask(echo, 1));
      throw new Error("never mind");
    });

    expect(failing).toThrow("never mind");
    expect(await q.queueSize()).toBe(0);
  });

  it("says so when the queue is not open yet, and when a handler would have to be waited for", async () => {
    const { q, db } = await withHandle({ open: false });
    const enqueue = db.transaction(() => void q.in(db).asyncTask(echo, 1));

    const plan = db.transaction(() => void q.in(db).schedule(echo, { every: "1h", args: [1] }));

    expect(enqueue).toThrow(/await q\.open\(\)/);
    expect(plan).toThrow(/await q\.open\(\)/);
    await q.open();
    onTestFinished(signals.preEnqueue.connect(() => {}));

    expect(enqueue).toThrow(/cannot be waited for/);
    expect(await q.queueSize()).toBe(0);
  });

  it("refuses a task of a batch, which would count it only when the transaction commits", async () => {
    const { q, db } = await withHandle();
    const batch = await q.batch("nightly", { size: 1 });

    const refused = db.transaction(() => void q.in(db).asyncTask(echo.with({ batch }), 1));

    expect(refused).toThrow("A task of a batch cannot be enqueued in a transaction");
    expect(await q.queueSize()).toBe(0);
  });

  it("refuses a handle on which no transaction is open", async () => {
    const { q, db } = await withHandle();

    expect(() => q.in(db).asyncTask(echo, 1)).toThrow(/No transaction of better-sqlite3 is open/);
  });
});

describe("a unique key, while another transaction holds the write lock", () => {
  it("is waited for during lockTimeout; then the caller is told, and its transaction goes on", async () => {
    const { q, db, file } = await withHandle();
    db.pragma("busy_timeout = 12345");
    const other = new BetterSqlite3(file);
    onTestFinished(() => void other.close());
    other.exec("BEGIN IMMEDIATE");
    db.exec("BEGIN");
    const started = performance.now();

    const call = (): unknown => q.in(db, { lockTimeout: "300ms" }).asyncTask(ref(echo, { unique: "u" }), 1);

    expect(call).toThrow(expect.objectContaining({ code: "QLUSTER_STORE_UNAVAILABLE" }));
    expect(call).toThrow(/waited for 300 ms \(option `lockTimeout`\)/);
    expect(performance.now() - started).toBeGreaterThan(500);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(db.pragma("busy_timeout", { simple: true })).toBe(12_345);
    other.exec("ROLLBACK");
    db.exec("INSERT INTO item VALUES ('goes on')");
    await q.in(db).asyncTask(ref(echo, { unique: "u" }), 1);
    db.exec("COMMIT");
    expect(await q.queueSize()).toBe(1);
  });

  it("gives the id of the task that got it with a commit in between", async () => {
    const { q, db } = await withHandle();
    const first = await q.asyncTask(ref(echo, { unique: "u" }), 1);
    let second: Promise<string> | undefined;

    db.transaction(() => void (second = q.in(db).asyncTask(ref(echo, { unique: "u" }), 2))).immediate();

    expect(await second).toBe(first);
    expect(await q.queueSize()).toBe(1);
  });

  it.each(["soon", -1])("refuses the lockTimeout %j", async (lockTimeout) => {
    const { q, db } = await withHandle();

    expect(() => q.in(db, { lockTimeout: lockTimeout as never })).toThrow(/lockTimeout/);
    expect(() => q.in(db, { patience: "1s" } as never)).toThrow(/no option "patience"/);
  });
});

describe("what is no transaction", () => {
  it.each([
    ["nothing", undefined, /^undefined is no transaction/],
    ["a number", 7, /^7 is no transaction/],
    ["a plain object", {}, /^This object is no transaction/],
    ["a map", new Map(), /^This Map is no transaction/],
    ["a function", function begin() {}, /^A function \(begin\) is no transaction/],
  ])("is refused: %s", async (_, tx, text) => {
    const { q } = await withHandle();

    expect(() => q.in(tx as object)).toThrow(text);
    expect(() => q.in(tx as object)).toThrow(/Kysely, Knex, Drizzle, Prisma/);
    expect(() => q.withTransaction(tx as object, () => {})).toThrow(text);
  });

  it("is a database in memory, and any transaction where `database` has none", async () => {
    const { q } = await withHandle();
    const memory = createQluster({ name: "test", database: "memory:", secret }, { root: import.meta.dirname, env: {} });
    onTestFinished(() => memory.close());
    await memory.open();
    const db = new BetterSqlite3(":memory:");
    onTestFinished(() => void db.close());
    db.exec("BEGIN");

    expect(() => q.in(db).asyncTask(echo, 1)).toThrow(/is on a database in memory/);
    expect(() => memory.in(db).asyncTask(echo, 1)).toThrow(/Use q\.afterCommit/);
  });
});

describe("two copies of SQLite in one process, which do not see each other's locks", () => {
  it("are refused, with the way out", async () => {
    const file = temporaryFile();
    const backend = await openOn(file, { project: "test" });
    const config = { name: "test", database: "memory:", secret };
    const q = createQluster(config, { root: import.meta.dirname, env: {}, backend });
    await q.open();
    const db = new BetterSqlite3(file);
    onTestFinished(() => void db.close());
    db.exec("BEGIN");

    expect(() => q.in(db).asyncTask(echo, 1)).toThrow(/createQluster\(config, \{ sqlite: Database \}\)/);
  });

  it("become one with the option `sqlite`", async () => {
    const file = temporaryFile();
    const config = { name: "test", database: `sqlite:${file}`, secret };
    const q = createQluster(config, { root: import.meta.dirname, env: {}, sqlite: BetterSqlite3 });
    onTestFinished(() => q.close());
    await q.open();
    const db = new BetterSqlite3(file);
    onTestFinished(() => void db.close());

    db.transaction(() => void q.in(db).asyncTask(echo, 1))();

    expect(await q.queueSize()).toBe(1);
  });
});

describe("q.afterCommit, for a transaction on another database", () => {
  it.each([
    ["commits", true, 2],
    ["rolls back", false, 0],
  ])("enqueues when Knex %s, without being told", async (_, commits, count) => {
    const { q } = await withHandle();
    const knex = createKnex({
      client: "better-sqlite3",
      connection: { filename: temporaryFile() },
      useNullAsDefault: true,
    });
    onTestFinished(() => knex.destroy());
    const tx = await knex.transaction();
    const later = q.afterCommit(tx);

    const id = await later.asyncTask(echo, 1);
    await later.asyncTasks([link(echo, 2)]);
    expect(await q.queueSize()).toBe(0);
    await (commits ? tx.commit() : tx.rollback());

    await expect.poll(() => q.queueSize()).toBe(count);
    expect((await q.status(id))?.state).toBe(commits ? "queued" : undefined);
  });

  it("refuses a nested transaction of Knex, whose rollback nobody would hear of", async () => {
    const { q } = await withHandle();
    const knex = createKnex({
      client: "better-sqlite3",
      connection: { filename: temporaryFile() },
      useNullAsDefault: true,
    });
    onTestFinished(() => knex.destroy());

    await knex.transaction((outer) =>
      outer.transaction(async (inner) => {
        expect(() => q.afterCommit(inner)).toThrow(/nested in another one/);
      }),
    );
  });

  it("enqueues with committed() after the commit of any other library, once", async () => {
    const { q, db } = await withHandle();
    const later = q.afterCommit();

    db.transaction(() => void later.asyncTask(echo, 1))();
    await later.committed();
    await later.committed();

    expect(await q.queueSize()).toBe(1);
    await expect(later.asyncTask(echo, 2)).rejects.toThrow(/has committed already/);
  });

  it("checks at once what can be checked", async () => {
    const { q } = await withHandle();
    const later = q.afterCommit();

    await expect(later.asyncTask(echo, () => "a function")).rejects.toMatchObject({ code: "QLUSTER_UNENCODABLE" });
    await later.committed();
    expect(await q.queueSize()).toBe(0);
  });
});

interface PlainHandle {
  exec(sql: string): unknown;
  prepare(sql: string): { all(): unknown[] };
  close(): unknown;
}

/** All connections of this process through the same copy of SQLite. */
async function preparePlace({ sqlite = BetterSqlite3 }: Pick<Library, "sqlite">): Promise<Place> {
  const address = temporaryFile();
  const options = { project: "test", durability: "process", migrate: true, blockMs: 20, retryMs: 5_000 } as const;
  const backend = await openBackendWith({ ...options, location: address }, sqlite as never);
  const plain = new sqlite(address) as PlainHandle;
  onTestFinished(async () => {
    plain.close();
    await backend[Symbol.asyncDispose]();
  });
  plain.exec("CREATE TABLE item (name TEXT)");
  return {
    backend,
    address,
    elsewhere: async () => join(dirname(address), "elsewhere.db"),
    items: async () =>
      (plain.prepare("SELECT name FROM item ORDER BY rowid").all() as { name: string }[]).map(({ name }) => name),
  };
}

/** A queue, and a handle of better-sqlite3 on the same file. */
async function withHandle({ open = true } = {}): Promise<{ q: Qluster; db: BetterSqlite3.Database; file: string }> {
  const { backend, address: file } = await preparePlace({});
  const q = createQluster(
    { name: "test", database: "memory:", secret },
    { root: import.meta.dirname, env: {}, backend },
  );
  const db = new BetterSqlite3(file);
  onTestFinished(async () => {
    db.close();
    await q.close();
  });
  if (open) await q.open();
  return { q, db, file };
}
