import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Backend } from "../../src/contracts/backend.js";
import { chainOf, createQluster, link, parallel, previous, ref, task } from "../../src/index.js";
import type { Qluster } from "../../src/index.js";
import { runQueued, secret } from "../support/run-queued.js";
import type { Library, Opened } from "./library.js";

export const echo = task("tx.echo", async (value: unknown) => value);

const daily = { type: "DAILY", at: "03:00" } as const;

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

    it("leaves exactly one schedule after a commit, which fires then, and none after a rollback (P175, P217, P430)", async () => {
      const { q, library, place } = await begun();
      const { schedules } = place.backend.store;
      const changed = vi.fn<() => void>();
      onTestFinished(schedules.watch(changed));

      const rolledBack = library.transaction(async (tx, run) => {
        await run("INSERT INTO item (name) VALUES ('gone')");
        await q.in(tx).schedule(echo, { ...daily, name: "gone", args: [1] });
        throw new Error("never mind");
      });
      await expect(rolledBack).rejects.toThrow("never mind");
      await library.transaction(async (tx, run) => {
        const made = await q
          .in(tx)
          .schedule(echo, { ...daily, name: "report", args: ["hello"], timeZone: "Europe/Moscow" });
        expect(made).toMatchObject({
          name: "report",
          args: ["hello"],
          description: "Every day at 03:00 (Europe/Moscow).",
        });
        await run(`INSERT INTO item (name) VALUES ('${made.id}')`);
        expect(await q.schedules.list()).toEqual([]);
        changed.mockClear();
      });

      const [one, ...others] = await q.schedules.list();
      expect(others).toEqual([]);
      expect(await place.items()).toEqual([one!.id]);
      await vi.waitFor(() => expect(changed).toHaveBeenCalled(), { timeout: 5_000 });
      const id = await q.schedules.runNow("report");
      expect(await runQueued(place.backend)).toBe(1);
      expect(await q.result(id)).toBe("hello");
    });

    it("leaves no schedule of a savepoint that was rolled back, and its name is free (P183)", async () => {
      const { q, library } = await begun();

      await library.transaction(async (tx, _, nested) => {
        await q.in(tx).schedule(echo, { ...daily, name: "kept", args: [1] });
        await nested?.(async (inner) => {
          await q.in(inner).schedule(echo, { ...daily, name: "dropped", args: [1] });
          throw new Error("inner");
        }).catch((error: unknown) => expect(error).toMatchObject({ message: "inner" }));
        await q.in(tx).schedule(echo, { ...daily, name: "dropped", args: [2] });
      });

      expect((await q.schedules.list()).map(({ name, args }) => [name, args])).toEqual([
        ["kept", [1]],
        ["dropped", [2]],
      ]);
    });

    it("tells that the name of a schedule is taken, and the transaction goes on (P183, P184)", async () => {
      const { q, library, place } = await begun();
      const first = await q.schedule(echo, { ...daily, name: "report", args: [1] });

      await library.transaction(async (tx, run) => {
        const verbs = q.in(tx);
        const call = async (name: string): Promise<unknown> =>
          await verbs.schedule(echo, { ...daily, name, args: [2] });
        await expect(call("report")).rejects.toMatchObject({ code: "QLUSTER_SCHEDULE", field: "name" });
        await expect(call("report")).rejects.toThrow(first.id);
        await call("own");
        await expect(call("own")).rejects.toThrow(/named "own" already/);
        await run("INSERT INTO item (name) VALUES ('goes on')");
      });

      expect((await q.schedules.list()).map(({ name }) => name)).toEqual(["report", "own"]);
      expect(await place.items()).toEqual(["goes on"]);
    });

    it("opens a chain at each slot of a schedule that was made in it (P200)", async () => {
      const { q, library, place } = await begun();
      if (place.backend.store.flows === undefined) {
        await library.transaction(async (tx) => {
          const call = async () => await q.in(tx).schedule(chainOf([link(echo, 1)]), daily);
          await expect(call()).rejects.toMatchObject({ code: "QLUSTER_FLOW" });
        });
        return;
      }

      await library.transaction(async (tx) => {
        await q.in(tx).schedule(chainOf([link(echo, 1), link(echo, previous())]), { ...daily, name: "chain" });
      });

      const id = await q.schedules.runNow("chain");
      while ((await runQueued(place.backend)) > 0);
      expect(await q.resultGroup(id)).toEqual([1, 1]);
    });

    it("refuses a schedule that is wrong before its first statement (P181, P190)", async () => {
      const { q, library, place } = await begun();

      await library.transaction(async (tx, run) => {
        const verbs = q.in(tx);
        const refused = [
          () => verbs.schedule(echo, { type: "CRON", cron: "61 * * * *", args: [1] }),
          () => verbs.schedule(echo, { ...daily, timeZone: "Mars/Olympus", args: [1] }),
          () => verbs.schedule(echo, { ...daily, args: [() => 1] }),
          () => verbs.schedule(echo, { ...daily, args: ["x".repeat(300_000)] }),
          () => verbs.schedule(echo, { ...daily, upsert: true, args: [1] }),
          () => verbs.schedule(chainOf([link(echo, previous())] as never), daily),
        ];
        for (const call of refused) await expect((async () => await call())()).rejects.toThrow();
        await run("INSERT INTO item (name) VALUES ('healthy')");
      });

      expect(await q.schedules.list()).toEqual([]);
      expect(await place.items()).toEqual(["healthy"]);
    });

    it("opens a chain and an iterable with the commit, each of which runs to its end (P147, P132)", async () => {
      const { q, library, place } = await begun();
      let chain = "";
      let iter = "";
      let none = "";

      await library.transaction(async (tx, run) => {
        const verbs = q.in(tx);
        chain = await verbs.asyncChain(
          [link(echo, 1), parallel([link(echo, previous()), link(echo, 2)]), link(echo, previous())],
          { onComplete: echo, name: "report" },
        );
        iter = await verbs.asyncIter(echo, [["a"], ["b"], ["c"]], { hook: echo });
        none = await verbs.asyncIter(echo, [], { hook: echo });
        await run(`INSERT INTO item (name) VALUES ('${chain}')`);
        expect(await q.flow(chain)).toBeUndefined();
      });

      expect((await q.flow(chain))?.links.map(({ state }) => state)).toEqual([
        "queued",
        "waiting",
        "waiting",
        "waiting",
      ]);
      expect(await q.queueSize()).toBe(1 + 3 + 1);
      while ((await runQueued(place.backend)) > 0);
      expect(await q.resultGroup(chain)).toEqual([1, [1, 2], [1, 2]]);
      expect([await q.result(iter), await q.result(none)]).toEqual([["a", "b", "c"], []]);
      expect(await place.items()).toEqual([chain]);
      expect((await place.backend.store.counts(10)).failed).toBe(0);
    });

    it("leaves nothing of a chain and an iterable after a rollback, also of a savepoint", async () => {
      const { q, library } = await begun();
      const ids: string[] = [];
      const enqueue = async (tx: object): Promise<void> => {
        ids.push(await q.in(tx).asyncChain([link(echo, 1), link(echo, previous())]));
        ids.push(await q.in(tx).asyncIter(echo, [[1], [2]]));
      };

      await library.transaction(async (tx, run, nested) => {
        await nested?.(async (inner) => {
          await enqueue(inner);
          throw new Error("inner");
        }).catch((error: unknown) => expect(error).toMatchObject({ message: "inner" }));
        await run("INSERT INTO item (name) VALUES ('goes on')");
      });
      const rolledBack = library.transaction(async (tx) => {
        await q.withTransaction(tx, async () => {
          ids.push(await q.asyncChain([link(echo, 1)]), await q.asyncIter(echo, [[1], [2]]));
        });
        await enqueue(tx);
        throw new Error("never mind");
      });

      await expect(rolledBack).rejects.toThrow("never mind");
      expect(await q.queueSize()).toBe(0);
      for (const id of ids) expect(await q.flow(id)).toBeUndefined();
    });

    it("streams a long iterable, and takes it back when an element is refused in the middle (P143)", async () => {
      const { q, library, place } = await begun();
      const size = 2_500;
      const told: number[] = [];
      let iter = "";

      await library.transaction(async (tx, run) => {
        const verbs = q.in(tx);
        const elements = (last: unknown) => Array.from({ length: size }, (_, n) => [n < size - 1 ? n : last] as const);
        const refused = async () =>
          await verbs.asyncIter(
            echo,
            elements(() => "a function"),
          );
        await expect(refused()).rejects.toThrow(/At place 2499 of asyncIter/);
        iter = await verbs.asyncIter(echo, elements(size - 1), { onProgress: (enqueued) => told.push(enqueued) });
        await run("INSERT INTO item (name) VALUES ('healthy')");
      });

      expect(told.at(-1)).toBe(size);
      expect(await q.queueSize()).toBe(size);
      expect((await q.flow(iter))?.size).toBe(size);
      expect(await place.items()).toEqual(["healthy"]);
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
          () => verbs.asyncChain([link(echo, 1), link(echo, () => "a function")]),
          () => verbs.asyncChain([link(echo, 1)], { sync: true }),
          () => verbs.asyncIter(ref(echo, { sync: true }), [[1]]),
          () => verbs.asyncIter(echo, [[1], [() => "a function"]]),
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
          await q.schedule(echo, { ...daily, args: [1] });
          const { AsyncResource } = await import("node:async_hooks");
          late = AsyncResource.bind(deep);
        });
        throw new Error("never mind");
      });

      await expect(rolledBack).rejects.toThrow("never mind");
      expect([await q.queueSize(), await q.schedules.list()]).toEqual([0, []]);
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
