import { describe, expect, it } from "vitest";
import { z } from "zod";
import { backends } from "../../test/support/backends.js";
import { eachQueue } from "../../test/support/each-queue.js";
import { runQueued, testKeys } from "../../test/support/run-queued.js";
import type { Backend } from "../contracts/backend.js";
import { openTask } from "../core/envelope.js";
import { humanName } from "../core/ids.js";
import {
  ArgumentsError,
  OptionError,
  TooLargeError,
  TooLongError,
  UnencodableError,
  UnknownFunctionError,
  UnknownTaskError,
} from "../errors.js";
import { link } from "./link.js";
import { signals } from "./public-signals.js";
import { ref, task } from "./task.js";
import type { Qluster } from "./types.js";

const double = task("client.double", (n: number) => n * 2);
const echo = task("client.echo", (value: unknown) => value);
const checked = task("client.checked", (id, width) => `${id}:${width + 1}`, {
  input: z.tuple([z.string(), z.string().transform(Number)]),
});
const slowlyChecked = task("client.slowly-checked", (n) => n, {
  input: z.tuple([z.number().refine(async (n) => n > 0, "must be above 0")]),
});
function odd(): void {}
const hook = task("client.hook", () => undefined);

describe.each(backends)("a queue on %s", (_, open) => {
  let backend: Backend;
  let q: Qluster;
  eachQueue(open, (fresh) => ({ q, backend } = fresh));

  /** What travels. */
  async function sent(id: string) {
    const [stored] = await backend.store.get([id]);
    if (stored === undefined) throw new Error(`nothing was stored as ${id}`);
    return openTask(testKeys, stored.queue, stored.envelope, { maxBytes: 1e6 });
  }

  describe("asyncTask", () => {
    it("queues a task and resolves to its id of 32 hexadecimal digits (P002, P059)", async () => {
      const id = await q.asyncTask(double, 21);

      expect(id).toMatch(/^[0-9a-f]{32}$/);
      expect(await q.queueSize()).toBe(1);
      expect(await sent(id)).toEqual({ header: { v: 1, id, func: "client.double" }, args: [21] });
    });

    it("takes a name that this process does not know (P060)", async () => {
      const id = await q.asyncTask("elsewhere.tasks.notify", 42, { channel: "mail" });

      expect(await sent(id)).toMatchObject({
        header: { func: "elsewhere.tasks.notify" },
        args: [42, { channel: "mail" }],
      });
    });

    it("takes functions of Math by themselves (P061, P371)", async () => {
      const id = await q.asyncTask(Math.floor, 2.5);
      await runQueued(backend);

      expect(await q.result(id)).toBe(2);
    });

    it("may be taken off its object (P058)", async () => {
      const { asyncTask, result } = q;

      const id = await asyncTask(double, 4);
      await runQueued(backend);

      expect(await result(id)).toBe(8);
    });

    it("lets options of the request go over those of the task, and both over nothing (P066, P068)", async () => {
      const resize = task("client.resize", () => 1, { timeout: "30s", attempts: 5, group: "all", queue: "media" });

      const plain = await q.asyncTask(resize);
      const special = await q.asyncTask(resize.with({ attempts: 1, hook, taskName: "one", priority: 5 }));
      const byName = await q.asyncTask(ref("client.resize", { timeout: null }));

      const header = { v: 1, func: "client.resize", group: "all" };
      expect((await sent(plain)).header).toEqual({ ...header, id: plain, timeout: 30_000, attempts: 5 });
      expect((await sent(special)).header).toEqual({
        ...header,
        id: special,
        timeout: 30_000,
        attempts: 1,
        hook: "client.hook",
        name: "one",
        priority: 5,
      });
      expect((await sent(byName)).header).toMatchObject({ timeout: null, attempts: 5 });
      expect(await q.queueSize("media")).toBe(3);
    });

    it("keeps ackFailure and attempts from contradicting each other over two layers (P074)", async () => {
      const final = task("client.final", () => 1, { ackFailure: true });
      const stubborn = task("client.stubborn", () => 1, { attempts: 9 });

      const again = await q.asyncTask(final.with({ attempts: 3 }));
      const once = await q.asyncTask(stubborn.with({ ackFailure: true }));
      const usual = await q.asyncTask(stubborn.with({ ackFailure: false }));

      expect((await sent(again)).header.attempts).toBe(3);
      expect((await sent(once)).header.attempts).toBe(1);
      expect((await sent(usual)).header.attempts).toBeUndefined();
    });

    it("keeps a task back until it is due (P090)", async () => {
      const later = await q.asyncTask(double.with({ delay: "1h" }), 1);
      const onDate = await q.asyncTask(double.with({ runAt: new Date(Date.now() + 60_000) }), 1);

      const [first, second] = [await q.status(later), await q.status(onDate)];

      expect([first?.state, second?.state]).toEqual(["scheduled", "scheduled"]);
      expect(Number(first?.dueAt) - Date.now()).toBeGreaterThan(3_590_000);
      expect((await sent(later)).header.due).toBeGreaterThan(Date.now() + 3_590_000);
    });

    it("takes higher priorities first (P091)", async () => {
      const ids: string[] = [];
      for (const priority of [0, -5, 10]) ids.push(await q.asyncTask(double.with({ priority }), 1));

      const consumer = await backend.broker.consume({
        queues: ["test"],
        leaseMs: 60_000,
        cluster: { id: "c", host: "h", pid: 1 },
      });
      const taken = await consumer.take({ max: 10, waitMs: 0 });
      await consumer.close();

      expect(taken.map(({ id }) => ids.indexOf(id))).toEqual([2, 0, 1]);
    });

    it("resolves to the task that holds the unique key (P092)", async () => {
      const first = await q.asyncTask(double.with({ unique: "a1" }), 1);
      const second = await q.asyncTask(double.with({ unique: "a1", queue: "other" }), 2);
      const otherTask = await q.asyncTask(echo.with({ unique: "a1" }), 3);
      await runQueued(backend);
      const afterwards = await q.asyncTask(double.with({ unique: "a1" }), 4);

      expect(second).toBe(first);
      expect(otherTask).not.toBe(first);
      expect(afterwards).not.toBe(first);
    });

    it.each<[string, unknown]>([
      ["a Date", new Date(5)],
      ["a BigInt", 2n ** 80n],
      ["a Map", new Map([["a", new Set([1])]])],
      ["NaN in an array", [Number.NaN, -0, Infinity]],
      ["undefined in an object", { a: undefined }],
      ["bytes", new Uint8Array([1, 2, 255])],
      ["text outside ASCII", "ß → 日本 \u2028"],
      ["nothing", undefined],
    ])("carries %s there and back (P096)", async (__, value) => {
      const id = await q.asyncTask(echo, value);
      await runQueued(backend);

      expect(await q.result(id)).toEqual(value);
    });

    it("sends what was given, and lets the worker convert it (P095)", async () => {
      const id = await q.asyncTask(checked, "a1", "300");

      expect((await sent(id)).args).toEqual(["a1", "300"]);
    });
  });

  describe("refuses, and writes nothing:", () => {
    const circular: { self?: unknown } = {};
    circular.self = circular;

    it.each<[string, () => Promise<unknown>, new (...args: never[]) => Error, RegExp]>([
      [
        "a function that nobody knows (P062)",
        () => q.asyncTask(function strange() {}),
        UnknownFunctionError,
        /The function strange cannot be found.*task\("some\.name", strange\).*loadTasks\(\)/,
      ],
      ["an unknown function as UnknownTaskError too", () => q.asyncTask(() => 1), UnknownTaskError, /without a name/],
      ["an unknown function in a ref", () => q.asyncTask(ref(odd)), UnknownFunctionError, /function odd/],
      [
        "an unknown function as hook (P344)",
        () => q.asyncTask(double.with({ hook: odd }), 1),
        UnknownFunctionError,
        /odd cannot be found as a hook/,
      ],
      [
        "a hook that is none",
        () => q.asyncTask(double.with({ hook: 5 as never }), 1),
        OptionError,
        /option hook is 5; expected a task/,
      ],
      [
        "no task at all",
        () => (q.asyncTask as (target: unknown) => Promise<unknown>)(5),
        OptionError,
        /first argument is 5; expected a task/,
      ],
      ["an empty name", () => q.asyncTask(""), OptionError, /name of a task is ""/],
      ["a name that is too long (P097)", () => q.asyncTask("n".repeat(257)), TooLongError, /257.*256/],
      [
        "a value that cannot be carried (P096)",
        () => q.asyncTask(echo, { user: { socket: () => 1 } }),
        UnencodableError,
        /args\[0\]\.user\.socket/,
      ],
      ["a circle (P096)", () => q.asyncTask(echo, circular), UnencodableError, /args\[0\]/],
      ["a symbol (P096)", () => q.asyncTask("x", 1, [Symbol("s")]), UnencodableError, /args\[1\]\[0\]/],
      [
        "too much",
        () => q.asyncTask(echo, { small: 1, large: "x".repeat(300_000) }),
        TooLargeError,
        /262144.*args\[0\]/,
      ],
      [
        "arguments that do not fit the schema (P095)",
        () => q.asyncTask(checked, "a1", 300 as never),
        ArgumentsError,
        /client\.checked.*args\[1\]/,
      ],
      [
        "arguments that do not fit an async schema",
        () => q.asyncTask(slowlyChecked, -1),
        ArgumentsError,
        /args\[0\]: must be above 0/,
      ],
      ["something that is no link", () => q.asyncTasks([double as never]), OptionError, /at place 0; expected link/],
      [
        "something that is no list",
        () => q.asyncTasks("ab" as never),
        OptionError,
        /asyncTasks got "ab"; expected an array/,
      ],
      [
        "all links when one is bad (P094)",
        () => q.asyncTasks([link(double, 1), link(echo, Symbol("s"))]),
        UnencodableError,
        /At place 1 of asyncTasks: .*args\[0\]/,
      ],
    ])("%s", async (__, attempt, type, message) => {
      const refused = attempt();

      await expect(refused).rejects.toThrow(type);
      await expect(refused).rejects.toThrow(message);
      expect(await q.queueSize()).toBe(0);
    });

    it("an unknown name, once the task modules are loaded, with the nearest one (P062)", async () => {
      await q.loadTasks();

      await expect(q.asyncTask("client.doubel", 1)).rejects.toThrow(
        /No task named "client\.doubel" is known here\. Did you mean "client\.double"\? .*ref\("client\.doubel"\)/,
      );
      await expect(q.asyncTask(ref("client.doubel"), 1)).resolves.toMatch(/^[0-9a-f]{32}$/);
    });
  });

  describe("asyncTasks", () => {
    it("queues many in one write, ids in their places (P094)", async () => {
      const ids = await q.asyncTasks([link(double, 1), link("client.echo", "b"), link(double.with({ group: "g" }), 3)]);
      await runQueued(backend);

      const results = await Promise.all(ids.map((id) => q.result(id)));

      expect(results).toEqual([2, "b", 6]);
    });

    it("takes an empty list", async () => {
      expect(await q.asyncTasks([])).toEqual([]);
    });

    it("reports which unique keys were taken (P092)", async () => {
      const first = await q.asyncTask(double.with({ unique: "k" }), 1);

      const [again, other] = await q.asyncTasks([link(double.with({ unique: "k" }), 2), link(double, 3)]);

      expect(again).toBe(first);
      expect(other).not.toBe(first);
    });
  });

  describe("preEnqueue", () => {
    it("may change name, arguments and options before the task is sealed (P082, P336)", async () => {
      const seen: unknown[] = [];
      const disconnect = signals.preEnqueue.connect(async (outgoing) => {
        seen.push({ ...outgoing });
        await Promise.resolve();
        outgoing.args = [100];
        outgoing.name = "changed";
        outgoing.options = { ...outgoing.options, group: "added" };
      });

      const id = await q.asyncTask(double.with({ timeout: "1m" }), 1).finally(disconnect);

      expect(seen).toEqual([{ id, name: humanName(id), func: "client.double", args: [1], options: { timeout: "1m" } }]);
      expect(await sent(id)).toEqual({
        header: { v: 1, id, func: "client.double", name: "changed", group: "added", timeout: 60_000 },
        args: [100],
      });
    });

    it("costs no task when a handler throws, and calls the others in order (P337, P341)", async () => {
      const calls: string[] = [];
      const first = signals.preEnqueue.connect(() => {
        calls.push("first");
        throw new Error("a bad handler");
      });
      const second = signals.preEnqueue.connect(() => void calls.push("second"));

      const id = await q.asyncTask(double, 1).finally(() => (first(), second()));

      expect(calls).toEqual(["first", "second"]);
      expect(await q.status(id)).toMatchObject({ state: "queued" });
    });

    it("is checked like the caller", async () => {
      const disconnect = signals.preEnqueue.connect((outgoing) => {
        outgoing.options = { priority: 1_000 };
      });

      await expect(q.asyncTask(double, 1).finally(disconnect)).rejects.toThrow(/priority is 1000/);
    });
  });
});
