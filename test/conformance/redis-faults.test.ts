import { createServer } from "node:net";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { openBackend } from "../../src/backends/redis/index.js";
import type { Backend, BackendOptions } from "../../src/contracts/backend.js";
import { consumer, message, names, takeAll, takeOne } from "../../src/testing/messages.js";
import { failed, newTask, runTask, stateOf, stored, succeeded } from "../../src/testing/tasks.js";
import { soon } from "../../src/testing/waiting.js";
import { moveSlot } from "../support/redis-slots.js";
import { startRedis, startRedisCluster, type RedisServer } from "../support/redis.js";

type Options = Partial<BackendOptions>;

function optionsFor(location: string, options: Options = {}): BackendOptions {
  return { location, project: "shop", durability: "process", migrate: true, blockMs: 50, retryMs: 2_000, ...options };
}

/** A backend that closes when the test ends. */
async function openOn(location: string, options?: Options): Promise<Backend> {
  const backend = await openBackend(optionsFor(location, options));
  onTestFinished(() => backend[Symbol.asyncDispose]());
  return backend;
}

async function server(...flags: string[]): Promise<RedisServer> {
  const started = await startRedis({ flags });
  onTestFinished(() => started.stop());
  return started;
}

/** How opening fails. */
async function openingError(location: string, options?: Options): Promise<{ code?: unknown; message: string }> {
  try {
    await using _ = await openBackend(optionsFor(location, { retryMs: 1_000, ...options }));
  } catch (error) {
    return error as { code?: unknown; message: string };
  }
  throw new Error("Expected the backend not to open, and it did.");
}

describe("what is wrong with a Redis is said when it is opened, with the next step", () => {
  it("knows wrong passwords and missing ones, and never prints them", async () => {
    const locked = await startRedis({ password: "s3cret" });
    onTestFinished(() => locked.stop());
    const place = `127.0.0.1:${locked.port}`;

    const wrong = await openingError(`redis://:wr0ng@${place}`);
    const missing = await openingError(`redis://${place}`);
    await openOn(locked.url);

    expect(wrong).toMatchObject({ code: "QLUSTER_CONFIG" });
    expect(wrong.message).toMatch(/the user or the password is wrong\. Check both/);
    expect(wrong.message).not.toContain("wr0ng");
    expect(missing).toMatchObject({ code: "QLUSTER_CONFIG" });
    expect(missing.message).toMatch(/wants a password\. Write it into the URL/);
  });

  it("knows users who lack a right", async () => {
    const { url, cli } = await server();
    cli("acl", "setuser", "reader", "on", ">pw", "~*", "+@read", "+info", "+hello", "+ping");

    const error = await openingError(url.replace("://", "://reader:pw@"));

    expect(error).toMatchObject({ code: "QLUSTER_CONFIG" });
    expect(error.message).toMatch(/lacks a right.*ACL SETUSER.*NOPERM/);
  });

  it("works with the rights that the message names, and without CONFIG", async () => {
    const { url, cli } = await server();
    cli("acl", "setuser", "app", "on", ">pw", "~{qluster:*}*", "+@all", "-@admin", "-@dangerous", "+info");

    const backend = await openOn(url.replace("://", "://app:pw@"));
    await runTask(backend, newTask("t"));

    expect(await stateOf(backend, "t")).toBe("succeeded");
    expect(await backend.losses?.()).toMatch(/may lose what came after the last snapshot, if there are any/);
  });

  it("refuses a server that throws data away when its memory is full, and says what mends it", async () => {
    const { url, cli } = await server("--maxmemory-policy", "allkeys-lru");

    const error = await openingError(url);
    cli("config", "set", "maxmemory-policy", "noeviction");
    await openOn(url);

    expect(error).toMatchObject({ code: "QLUSTER_CONFIG" });
    expect(error.message).toMatch(/maxmemory-policy "allkeys-lru".*redis-cli CONFIG SET maxmemory-policy noeviction/);
  });

  it.each([
    ["no append-only file", [], /appendonly "no".*CONFIG SET appendonly yes/],
    [
      "one that is written each second",
      ["--appendonly", "yes"],
      /appendfsync "everysec".*CONFIG SET appendfsync always/,
    ],
  ])('refuses durability "power" on a server with %s', async (_, flags, expected) => {
    const { url } = await server(...flags);

    const error = await openingError(url, { durability: "power" });

    expect(error).toMatchObject({ code: "QLUSTER_CONFIG" });
    expect(error.message).toMatch(expected);
  });

  it("says in one sentence what a power cut and a failover may lose", async () => {
    const plain = await openOn((await server()).url);
    const safe = await openOn((await server("--appendonly", "yes", "--appendfsync", "always")).url, {
      durability: "power",
    });

    expect(await plain.losses?.()).toMatch(/^A power cut loses every task.*no replicas\)\.$/);
    expect(await safe.losses?.()).toMatch(
      /^A power cut loses nothing \(appendfsync always\); a failover is not possible/,
    );
    expect(await safe.broker.info()).toMatch(/^Redis \d+\.\d+\.\d+ at redis:\/\/127\.0\.0\.1:\d+$/);
  });

  it("knows a database that does not exist", async () => {
    const { url } = await server();

    const error = await openingError(`${url}/99`);

    expect(error).toMatchObject({ code: "QLUSTER_CONFIG" });
    expect(error.message).toMatch(/no database with this number/);
  });

  it("knows a node of a Redis Cluster, and a server that is none", async () => {
    const clustered = await server("--cluster-enabled", "yes", "--cluster-port", String(await aFreePort()));
    const { url } = await server();

    const node = await openingError(clustered.url);
    const plain = await openingError(url.replace("redis://", "redis-cluster://"));

    expect([node.code, plain.code]).toEqual(["QLUSTER_CONFIG", "QLUSTER_CONFIG"]);
    expect(node.message).toMatch(/Begin the URL with "redis-cluster:\/\/"/);
    expect(plain.message).toMatch(/Begin the URL with "redis:\/\/"/);
  });

  it("knows a server without TLS", async () => {
    const { url } = await server();

    const error = await openingError(url.replace("redis://", "rediss://"), { retryMs: 8_000 });

    expect(error.message).toMatch(/TLS/);
  }, 30_000);

  it("knows a host that does not exist, and one where nobody listens (P262)", async () => {
    const port = await aFreePort();

    const host = await openingError("redis://no-such-host.invalid");
    const away = await openingError(`redis://:s3cret@127.0.0.1:${port}`);

    expect(host.message).toMatch(/no host with this name|cannot be used at the moment/);
    expect(away).toMatchObject({ code: "QLUSTER_STORE_UNAVAILABLE" });
    expect(away.message).toMatch(/nobody listens there\. Start the server, or check host and port/);
    expect(away.message).not.toContain("s3cret");
  });

  it("knows an address that is none", async () => {
    expect((await openingError("redis://u:s3cret@h:70000")).message).toMatch(
      /u:\*\*\*@h:70000" has "h:70000", which is no/,
    );
  });
});

describe("a Redis that fails while it is used", () => {
  it("keeps what it has when its memory is full: nothing new comes in, and what runs is ended", async () => {
    const { url, cli } = await server();
    const backend = await openOn(url);
    await backend.store.submit([newTask("held")]);
    const owner = await consumer(backend.broker, { leaseMs: 1_000 });
    const delivery = await takeOne(owner);
    cli("config", "set", "maxmemory", "1");

    const refused = await backend.store.submit([newTask("t")]).catch((error: unknown) => error);
    await owner.renew([]);
    const ended = await backend.store.finish(owner.id, [succeeded(delivery)]);
    cli("config", "set", "maxmemory", "0");

    expect(refused).toMatchObject({ code: "QLUSTER_STORE_UNAVAILABLE", maybeWritten: false });
    expect((refused as Error).message).toMatch(/its memory is full \(maxmemory\)\. Raise maxmemory/);
    expect(ended).toEqual([true]);
    await backend.store.submit([newTask("t")]);
    expect(await stateOf(backend, "t")).toBe("queued");
  });

  it("takes 30,000 tasks in one call, all or none", async () => {
    const { url, cli } = await server();
    const backend = await openOn(url, { retryMs: 20_000 });
    const tasks = Array.from({ length: 30_000 }, (_, index) => newTask(`t${index}`));
    cli("config", "set", "maxmemory", "1");
    const refused = await openOn(url, { retryMs: 100 });
    await expect(refused.store.submit(tasks)).rejects.toMatchObject({ code: "QLUSTER_STORE_UNAVAILABLE" });
    const before = await backend.broker.queueSize();
    cli("config", "set", "maxmemory", "0");

    const answers = await backend.store.submit(tasks);

    expect(before).toBe(0);
    expect(answers.every(({ created }) => created)).toBe(true);
    expect(await backend.broker.queueSize()).toBe(30_000);
    expect(await backend.store.submit(tasks)).toEqual(tasks.map(({ id }) => ({ id, created: false })));
    expect(await backend.broker.purge("q")).toBe(30_000);
  }, 90_000);

  it("goes on when the server has forgotten every script", async () => {
    const { url, cli } = await server();
    const backend = await openOn(url);
    for (const name of ["a", "b", "c"]) {
      cli("script", "flush");
      await runTask(backend, newTask(name));
    }

    expect((await backend.store.counts(10)).succeeded).toBe(3);
  });

  it("waits for a server that is away, and goes on with it", async () => {
    const redis = await server("--appendonly", "yes", "--appendfsync", "always");
    const backend = await openOn(redis.url, { retryMs: 10_000 });
    const owner = await consumer(backend.broker);
    const waiting = owner.take({ max: 1, waitMs: 20_000 });
    await redis.kill();

    const submitted = backend.store.submit([newTask("t")]);
    await redis.start();

    expect(await submitted).toEqual([{ id: newTask("t").id, created: true }]);
    expect(names(await soon("the take that waited through it gets the task", waiting))).toEqual(["t"]);
  });

  it("says so when the server does not come back, and that nothing was written", async () => {
    const redis = await server();
    const backend = await openOn(redis.url, { retryMs: 300 });
    await redis.kill();

    const submit = (): Promise<unknown> => backend.store.submit([newTask("t")]).catch((caught: unknown) => caught);
    const first = await submit();
    const second = await submit();

    // The first one may have been sent before anybody heard of the end.
    expect(first).toMatchObject({ code: "QLUSTER_STORE_UNAVAILABLE" });
    expect(second).toMatchObject({ code: "QLUSTER_STORE_UNAVAILABLE", maybeWritten: false });
  });

  it("loses nothing that was confirmed when it is killed among enqueues and ends, with appendfsync always", async () => {
    const redis = await server("--appendonly", "yes", "--appendfsync", "always");
    const backend = await openOn(redis.url, { retryMs: 20_000, durability: "power" });
    const owner = await consumer(backend.broker);
    const confirmed = new Set<string>();
    const ended = new Set<string>();
    let isOver = false;
    let restarts = 0;

    const producing = (async () => {
      for (let index = 0; !isOver; index++) {
        const tasks = [newTask(`a${index}`), newTask(`b${index}`)];
        await backend.store.submit(tasks);
        for (const { envelope } of tasks) confirmed.add(envelope);
      }
    })();
    const working = (async () => {
      while (!isOver) {
        const taken = await owner.take({ max: 20, waitMs: 50 });
        const answers = await backend.store.finish(
          owner.id,
          taken.map((delivery) => succeeded(delivery)),
        );
        for (const [index, isOurs] of answers.entries()) {
          const { envelope } = taken[index]!;
          expect(isOurs, `${envelope} was not ours`).toBe(true);
          expect(ended.has(envelope), `${envelope} ended twice`).toBe(false);
          ended.add(envelope);
        }
      }
    })();
    for (; restarts < 3; restarts++) {
      const before = ended.size;
      await untilTrue(() => ended.size > before + 50);
      await redis.kill();
      await redis.start();
    }
    isOver = true;
    await Promise.all([producing, working]);

    for (const delivery of await takeAll(owner)) {
      await backend.store.finish(owner.id, [succeeded(delivery)]);
      expect(ended.has(delivery.envelope)).toBe(false);
      ended.add(delivery.envelope);
    }
    const lost = [...confirmed].filter((name) => !ended.has(name));
    expect(lost).toEqual([]);
    expect(await backend.broker.lockSize()).toBe(0);
    expect((await backend.store.counts(1_000_000)).succeeded).toBe(ended.size);
  }, 60_000);

  it("gives back what a lost reply had handed out", async () => {
    const { url } = await server();
    const backend = await openOn(url);
    await backend.broker.enqueue("q", [message("a"), message("b")]);
    const owner = await consumer(backend.broker);
    await takeOne(owner);
    // Another hand takes under the same lease: the reply goes elsewhere.
    const thief = new Redis(url);
    onTestFinished(() => thief.disconnect());
    const [member = ""] = await thief.zrange("{qluster:shop}:q:1", "0", "0");
    await thief.zrem("{qluster:shop}:q:1", member);
    await thief.hset(`{qluster:shop}:h:${owner.id}`, member, "1");

    await owner.take({ max: 1, waitMs: 0 });

    expect(names([await takeOne(owner)])).toEqual(["b"]);
  });
});

describe("one consumer that gives back and takes at the same moment", () => {
  it("holds what it took again, and nobody else gets it", async () => {
    const { url } = await server();
    const backend = await openOn(url);
    await backend.broker.enqueue("q", [message("a"), message("b"), message("c")]);
    const owner = await consumer(backend.broker);
    let held = await takeAll(owner);

    for (let round = 0; round < 50; round++) {
      const receipts = held.map(({ receipt }) => receipt);
      const [, taken] = await Promise.all([owner.release(receipts), owner.take({ max: 3, waitMs: 0 })]);
      held = [...taken, ...(await takeAll(owner))];

      expect(names(held).toSorted()).toEqual(["a", "b", "c"]);
      expect(await owner.take({ max: 3, waitMs: 0 })).toEqual([]);
      expect(await backend.broker.lockSize()).toBe(3);
    }
  });
});

describe("retention by group", () => {
  it("finds what may go behind a hundred groups that have to stay, and sorts anew when asked by another part", async () => {
    const { url } = await server();
    const backend = await openOn(url);
    const inGroups = Array.from({ length: 260 }, (_, index) => newTask(`g${index}`, { group: `g${index % 130}` }));
    const others = ["o1", "o2", "o3", "o4"].map((name) => newTask(name));
    await backend.store.submit([...inGroups, ...others]);
    const owner = await consumer(backend.broker);
    const taken = await takeAll(owner, 300);
    await backend.store.finish(
      owner.id,
      taken.map((delivery) => succeeded(delivery)),
    );
    const limits = { successesMs: null, failuresMs: null, successesCount: 1, groupMs: 600_000 };

    expect(await backend.store.clean({ ...limits, per: "group" })).toBe(3);
    expect(await stateOf(backend, "o4")).toBe("succeeded");
    expect(await backend.store.clean({ ...limits, per: "group" })).toBe(0);
    expect(await backend.store.clean({ ...limits, per: "func", groupMs: -1 })).toBe(260);
    expect((await backend.store.counts(1_000)).succeeded).toBe(1);
    expect(await backend.store.countGroup("g1", "all")).toBe(0);
  });
});

describe("replicas", () => {
  it("confirm each write when `durability` asks for it, and their absence is an outage", async () => {
    const primary = await server();
    const replica = await server("--replicaof", "127.0.0.1", String(primary.port));
    await untilTrue(() => /state=online/.test(primary.cli("info", "replication")));
    const backend = await openOn(primary.url, { durability: { replicas: 1 } });
    await runTask(backend, newTask("t"));
    const onReplica = Number(replica.cli("exists", `{qluster:shop}:t:${newTask("t").id}`));
    await replica.kill();

    const error = await backend.store.submit([newTask("u")]).catch((caught: unknown) => caught);

    expect(onReplica).toBe(1);
    expect(error).toMatchObject({ code: "QLUSTER_STORE_UNAVAILABLE", maybeWritten: true });
    expect((error as Error).message).toMatch(/0 of 1 replicas confirmed/);
    expect(await backend.losses?.()).toMatch(
      /one of the replicas that confirm every write \(durability: 1\) loses nothing/,
    );
  });

  it("take over by FAILOVER without a loss, and the same consumer goes on", async () => {
    const one = await server();
    const other = await server("--replicaof", "127.0.0.1", String(one.port));
    await untilTrue(() => /state=online/.test(one.cli("info", "replication")));
    const client = new Redis({ port: one.port, maxRetriesPerRequest: null });
    onTestFinished(() => client.disconnect());
    const backend = await openOn("", { client, durability: { replicas: 1 } });
    await backend.store.submit([newTask("a"), newTask("b")]);
    const owner = await consumer(backend.broker);
    const held = await takeOne(owner);

    one.cli("failover", "to", "127.0.0.1", String(other.port));
    await untilTrue(() => /role:master/.test(other.cli("info", "replication")));
    client.options.port = other.port;
    client.disconnect(true);

    expect(await backend.store.finish(owner.id, [failed(held)])).toEqual([true]);
    expect(names(await takeAll(owner))).toEqual(["b"]);
  });
});

describe("a client of the application", () => {
  it("is used as it is, and never closed (P039, P265)", async () => {
    const { url } = await server();
    const client = new Redis(url, { keyPrefix: "app:" });
    onTestFinished(() => client.disconnect());
    const backend = await openBackend(optionsFor("", { client }));
    const owner = await consumer(backend.broker);
    const waiting = owner.take({ max: 1, waitMs: 5_000 });
    await backend.store.submit([newTask("t")]);

    expect(names(await soon("the take wakes", waiting))).toEqual(["t"]);
    expect((await stored(backend, "t")).state).toBe("running");
    await backend[Symbol.asyncDispose]();
    expect(await client.ping()).toBe("PONG");
    expect(await client.exists(`{qluster:shop}:m`)).toBe(1);
  });
});

describe("a Redis Cluster", () => {
  it("keeps chains, groups and leases whole while the project's slot moves to another node and back", async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.stop());
    const backend = await openOn(cluster.url, { retryMs: 20_000 });
    const queues = ["images", "mail", "media"];
    const owner = await consumer(backend.broker, { queues, leaseMs: 60_000 });
    const total = 300;
    let ended = 0;
    let refused = 0;

    const producing = (async () => {
      for (let index = 0; index < total; index++) {
        await backend.store.submit([newTask(`t${index}`, { queue: queues[index % 3]!, group: "g" })]);
      }
    })();
    const working = (async () => {
      while (ended < 2 * total) {
        const taken = await owner.take({ max: 10, waitMs: 200 });
        const answers = await backend.store.finish(
          owner.id,
          taken.map((delivery) => {
            const next = newTask(`next of ${delivery.envelope}`, { queue: queues[(ended + 1) % 3]!, group: "g" });
            return succeeded(delivery, { followUps: delivery.envelope.startsWith("next") ? [] : [next] });
          }),
        );
        ended += answers.filter(Boolean).length;
        refused += answers.filter((isOurs) => !isOurs).length;
      }
    })();
    await untilTrue(() => ended > 20);
    await moveSlot(cluster.nodes, "{qluster:shop}:");
    await untilTrue(() => ended > 200);
    await moveSlot(cluster.nodes, "{qluster:shop}:");
    await Promise.all([producing, working]);

    expect(refused).toBe(0);
    expect(await backend.store.countGroup("g", "succeeded")).toBe(2 * total);
    expect(await backend.store.counts(10_000)).toEqual({ queued: 0, running: 0, succeeded: 2 * total, failed: 0 });
    expect([await backend.broker.queueSize(), await backend.broker.lockSize()]).toEqual([0, 0]);
  }, 90_000);
});

async function untilTrue(isSo: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end;) {
    if (isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("Waited 20 seconds, and it did not happen.");
}

async function aFreePort(): Promise<number> {
  const taken = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  const { port } = taken.address() as { port: number };
  await new Promise((resolve) => taken.close(resolve));
  return port;
}
