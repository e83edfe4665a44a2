import { describe, expect, it, onTestFinished } from "vitest";
import type { Backend } from "../../src/contracts/backend.js";
import { createQluster, link, ref, task } from "../../src/index.js";
import type { Qluster } from "../../src/index.js";
import { runQueued, secret } from "../support/run-queued.js";
import type { Library, Opened } from "./library.js";

export const echo = task("tx.echo", async (value: unknown) => value);

/** A database with the application's table `item (name)` and Qluster's own tables. */
export interface Place {
  readonly backend: Backend;
  /** What a library opens. */
  readonly address: string;
  /** A second database of the same kind, without tasks, and how messages name both. */
  readonly elsewhere: () => Promise<string>;
  /** The names in the application's table. */
  readonly items: () => Promise<string[]>;
}

/** What every library promises, on one kind of database. */
export function describePromises(libraries: readonly Library[], prepare: (library: Library) => Promise<Place>): void {
  describe.each(libraries)("in a transaction of $name", (used) => {
    const { open } = used;

    it("leaves exactly one task after a commit, and its id can be stored with it (P088)", async () => {
      const { q, library, place } = await begun();
      let id = "";

      await library.transaction(async (tx, run) => {
        await run("INSERT INTO item (name) VALUES ('before')");
        id = await q.in(tx).asyncTask(echo, "hello");
        await run(`INSERT INTO item (name) VALUES ('${id}')`);
        expect(await q.queueSize()).toBe(0);
      });

      expect(await q.queueSize()).toBe(1);
      expect(await place.items()).toEqual(["before", id]);
      expect(await runQueued(place.backend)).toBe(1);
      expect(await q.result(id)).toBe("hello");
    });

    it("leaves no task after a rollback, and the connection goes on (P088)", async () => {
      const { q, library, place } = await begun();
      const rolledBack = library.transaction(async (tx, run) => {
        await run("INSERT INTO item (name) VALUES ('gone')");
        await q.in(tx).asyncTask(ref("tx.echo", { unique: "u1" }), 1);
        await q.in(tx).asyncTasks([link(echo, 2), link(echo, 3)]);
        throw new Error("never mind");
      });

      await expect(rolledBack).rejects.toThrow("never mind");
      expect(await q.queueSize()).toBe(0);
      expect(await place.items()).toEqual([]);
      await library.transaction(async (tx) => void (await q.in(tx).asyncTask(ref("tx.echo", { unique: "u1" }), 1)));
      expect(await q.queueSize()).toBe(1);
    });

    it("leaves no task of a savepoint that was rolled back, and keeps the one beside it", async () => {
      const { q, library } = await begun();
      let kept = "";

      await library.transaction(async (tx, run, nested) => {
        kept = await q.in(tx).asyncTask(echo, "kept");
        await nested?.(async (inner) => {
          await q.in(inner).asyncTask(echo, "dropped");
          throw new Error("inner");
        }).catch((error: unknown) => expect(error).toMatchObject({ message: "inner" }));
        await run("INSERT INTO item (name) VALUES ('goes on')");
      });

      expect(await q.queueSize()).toBe(1);
      expect((await q.status(kept))?.state).toBe("queued");
    });

    it("wakes a waiting cluster with the commit, and not before (P088)", async () => {
      const { q, library, place } = await begun();
      const cluster = { id: "c1", host: "web-1", pid: 1 };
      const consumer = await place.backend.broker.consume({ queues: ["test"], leaseMs: 60_000, cluster });
      onTestFinished(() => consumer.close());
      let committing = Infinity;
      const taken = consumer.take({ max: 1, waitMs: 20_000 }).then((deliveries) => ({
        deliveries,
        at: performance.now(),
      }));

      await library.transaction(async (tx) => {
        await q.in(tx).asyncTask(echo, 1);
        await new Promise((resolve) => setTimeout(resolve, 50));
        committing = performance.now();
      });
      const { deliveries, at } = await taken;

      expect(deliveries).toHaveLength(1);
      expect(at).toBeGreaterThan(committing);
      expect(at - committing).toBeLessThan(2_000);
    });

    it("carries large values, every script, and null bytes", async () => {
      const { q, library, place } = await begun();
      const value = {
        text: "Grüße, 世界 😀 \0 \ud800 '; DROP TABLE item; -- ?",
        large: "x".repeat(150_000),
        none: null,
      };
      let id = "";

      await library.transaction(async (tx) => {
        id = await q.in(tx).asyncTask(ref(echo, { taskName: "Prüfung № 1?" }), value);
      });
      await runQueued(place.backend);

      expect(await q.result(id)).toEqual(value);
      expect((await q.fetch(id))?.name).toBe("Prüfung № 1?");
    });

    it("writes many at once, in their order, and tells which unique keys were taken", async () => {
      const { q, library } = await begun();
      const first = await q.asyncTask(ref(echo, { unique: "a" }), 0);
      let ids: readonly string[] = [];
      let many: readonly string[] = [];

      await library.transaction(async (tx) => {
        const verbs = q.in(tx);
        ids = await verbs.asyncTasks([link(ref(echo, { unique: "a" }), 1), link(ref(echo, { unique: "b" }), 2)]);
        many = await verbs.asyncTasks(Array.from({ length: 77 }, (_, index) => link(echo, index)));
        await Promise.all([verbs.asyncTask(ref(echo, { unique: "c" }), 1), verbs.asyncTask(echo, 1)]);
      });

      expect(ids[0]).toBe(first);
      expect(ids[1]).not.toBe(first);
      expect(new Set(many).size).toBe(77);
      expect(await q.queueSize()).toBe(1 + 1 + 77 + 2);
    });

    it("refuses what is wrong before its first statement, and leaves the transaction as it was", async () => {
      const { q, library, place } = await begun();

      await library.transaction(async (tx, run) => {
        const verbs = q.in(tx);
        const refused = [
          () => verbs.asyncTask(ref(echo, { group: "g".repeat(200) }), 1),
          () => verbs.asyncTask(echo, () => "a function"),
          () => verbs.asyncTask(echo, "x".repeat(300_000)),
          () => verbs.asyncTask(ref(echo, { sync: true }), 1),
          () => verbs.asyncTasks([link(echo, 1), link(ref(echo, { queue: "" }), 1)]),
        ];
        for (const call of refused) await expect((async () => await call())()).rejects.toThrow();
        await run("INSERT INTO item (name) VALUES ('healthy')");
      });

      expect(await q.queueSize()).toBe(0);
      expect(await place.items()).toEqual(["healthy"]);
    });

    it("takes the ambient transaction, until its function has ended", async () => {
      const { q, library } = await begun();
      const deep = async (): Promise<string> => await q.asyncTask(echo, "deep");
      let late: (() => Promise<string>) | undefined;

      const rolledBack = library.transaction(async (tx) => {
        await q.withTransaction(tx, async () => {
          await deep();
          const { AsyncResource } = await import("node:async_hooks");
          late = AsyncResource.bind(deep);
        });
        throw new Error("never mind");
      });

      await expect(rolledBack).rejects.toThrow("never mind");
      expect(await q.queueSize()).toBe(0);
      await expect(late!()).rejects.toMatchObject({ code: "QLUSTER_TRANSACTION" });
      await deep();
      expect(await q.queueSize()).toBe(1);
    });

    it("refuses the pool, and a transaction on another database, naming both", async () => {
      const { q, library, place } = await begun();
      const other = await open(await place.elsewhere());
      onTestFinished(async () => void (await other.close()));

      expect(() => q.in(library.database).asyncTask(echo, 1)).toThrow(
        expect.objectContaining({ code: "QLUSTER_TRANSACTION" }) as Error,
      );
      await other.transaction(async (tx, run) => {
        const call = async (): Promise<string> => await q.in(tx).asyncTask(echo, 1);
        await expect(call()).rejects.toThrow(/cannot commit together/);
        await expect(call()).rejects.toThrow(place.address.split("/").at(-1)!);
        await run("SELECT 1");
      });
      expect(await q.queueSize()).toBe(0);
    });

    async function begun(): Promise<{ q: Qluster; library: Opened; place: Place }> {
      const place = await prepare(used);
      const config = { name: "test", database: "memory:", secret };
      const q = createQluster(config, { root: import.meta.dirname, env: {}, backend: place.backend });
      await q.open();
      const library = await open(place.address);
      onTestFinished(async () => {
        await library.close();
        await q.close();
      });
      return { q, library, place };
    }
  });
}
