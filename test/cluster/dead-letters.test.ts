import { randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ref } from "qluster";
import type { NewTask } from "../../src/contracts/store.js";
import { sealTask } from "../../src/core/envelope.js";
import { deriveId, makeId } from "../../src/core/ids.js";
import { keyring } from "../../src/core/keyring.js";
import { until, workshop } from "../support/workshop.js";
import { setDeliveries, storeOf } from "../support/workshop-store.js";
import type { Workshop } from "../support/workshop.js";

const limit = { wait: "30s" } as const;
const own = { project: "test", secret: "a secret for tests that is long enough" };

/** Puts a message into the queue as if somebody else had sealed it. */
async function submit(
  shop: Workshop,
  envelope: (id: string) => string,
  options: Partial<NewTask> = {},
): Promise<string> {
  const id = makeId(Date.now(), randomBytes(10));
  const rest = { queue: "test", func: "jobs.traced", name: null, group: null, kind: "task", parent: null } as const;
  const due = { priority: 0, delayMs: 0, dueAt: null, expiresMs: null, unique: null } as const;
  await (await storeOf(shop)).submit([{ id, envelope: envelope(id), ...rest, ...due, ...options }]);
  return id;
}

function seal(
  id: string,
  given: Partial<{
    project: string;
    secret: string;
    queue: string;
    args: unknown[];
    maxBytes: number;
    compress: boolean;
  }> = {},
): string {
  const { project, secret, queue, args, maxBytes, compress } = {
    ...own,
    queue: "test",
    args: ["dead"],
    maxBytes: 1e9,
    compress: false,
    ...given,
  };
  const header = { v: 1, id, func: "jobs.traced" } as const;
  return sealTask(keyring(project, [secret]), queue, header, args, { compress, encrypt: false, maxBytes });
}

/** Small on its way, and far more than it may be once it is inflated. */
function bomb(id: string): string {
  return seal(id, { args: ["0".repeat(50_000_000)], compress: true });
}

describe("a message that cannot be opened is set aside with the reason, never run, and never tried again", () => {
  it.each<[string, (id: string) => string, RegExp, string]>([
    [
      "sealed with another secret (P272)",
      (id) => seal(id, { secret: "the secret of somebody else" }),
      /signature.*does not fit/,
      "signature",
    ],
    [
      "of another project (P281)",
      (id) => seal(id, { project: "blog" }),
      /signature.*does not fit project "test"/,
      "signature",
    ],
    ["sealed for another queue", (id) => seal(id, { queue: "other" }), /signature.*queue "test"/, "signature"],
    ["with changed arguments (P272)", (id) => seal(id).replace('"dead"', '"evil"'), /signature/, "signature"],
    [
      "with another function in its header (P272)",
      (id) => seal(id).replace("jobs.traced", "jobs.exits"),
      /signature/,
      "signature",
    ],
    ["cut short (P278)", (id) => seal(id).slice(0, -20), /signature/, "signature"],
    ["that is no envelope at all (P278)", () => "*** garbage ***", /no header that can be read/, "unreadable"],
    ["that is empty (P278)", () => "", /no header that can be read/, "unreadable"],
    ["that inflates without end (P279)", bomb, /Inflating .* was stopped at 262144 bytes/, "unreadable"],
  ])("%s", async (_, envelope, message, reason) => {
    await using shop = await workshop({ workers: 1, unknownFor: "1s" });
    const cluster = await shop.cluster();

    const id = await submit(shop, envelope);
    const finished = await shop.q.fetch(id, limit);

    expect(finished).toMatchObject({
      success: false,
      attempts: 0,
      args: [],
      error: { message: expect.stringMatching(message) },
    });
    const [stored] = await (await storeOf(shop)).get([id]);
    expect(stored).toMatchObject({ state: "failed", envelope: envelope(id), error: { dead: reason } });
    expect(await shop.q.attempts(id)).toEqual([]);
    expect(shop.trace()).toEqual([]);
    await cluster.says(/Set aside \[/);
    expect(await shop.q.result(await shop.q.asyncTask("jobs.add", 1, 2), limit)).toBe(3);
    expect(cluster.log.filter((line) => line.msg.startsWith("Set aside"))).toHaveLength(1);
  });
});

describe("a task that this code cannot run yet", () => {
  it("fails with the nearest name when its time is over, its hook is told, and it stays on record (P301, P278)", async () => {
    await using shop = await workshop({ workers: 1, unknownFor: "2s" });
    const cluster = await shop.cluster();
    const asked = Date.now();
    const id = await shop.q.asyncTask(ref("jobs.trased", { hook: "jobs.hook" }), "typo");

    await until(async () => (await shop.q.status(id))?.state === "scheduled", "the task to be put aside");
    const finished = await shop.q.fetch(id, limit);

    expect(finished).toMatchObject({ success: false, attempts: 0, args: ["typo"] });
    expect(finished?.error?.message).toContain(
      'No task named "jobs.trased" is known here. Did you mean "jobs.traced"?',
    );
    expect(Date.now() - asked).toBeGreaterThanOrEqual(2_000);
    expect(await shop.q.attempts(id)).toEqual([]);
    await until(() => shop.trace().some((line) => line.startsWith(`hook ${id} false`)), "the hook");
    expect(await shop.q.fetch(deriveId(id, "hook"), limit)).toMatchObject({ success: true });
    // Looked at now and then, and not in a loop.
    expect(cluster.log.filter((line) => line.msg.includes("jobs.trased")).length).toBeLessThan(8);
  });

  it("is run by a cluster that learns the name later, on the same store as the old one (P374)", async () => {
    await using shop = await workshop({ workers: 1, unknownFor: "1m" });
    await shop.cluster();
    const id = await shop.q.asyncTask("jobs.brandNew", "later");
    const old = await shop.q.asyncTask("jobs.add", 1, 2);
    expect(await shop.q.result(old, limit)).toBe(3);

    appendFileSync(join(shop.folder, "jobs.mjs"), "\nexport const brandNew = (label) => label + '!';\n");
    await shop.cluster();

    expect(await shop.q.fetch(id, limit)).toMatchObject({ success: true, result: "later!", attempts: 1 });
    expect(await shop.q.clusters()).toHaveLength(2);
  });

  it("in a newer envelope waits for newer code, and then fails; it is neither lost nor run (P374)", async () => {
    await using shop = await workshop({ workers: 1, unknownFor: "1500ms" });
    await shop.cluster();

    const id = await submit(shop, (given) => seal(given).replace('"v":1', '"v":2'));
    await until(async () => (await shop.q.status(id))?.state === "scheduled", "it to be put aside");
    const before = await shop.q.status(id);
    const finished = await shop.q.fetch(id, limit);

    expect(before).toMatchObject({ state: "scheduled", attempts: 0 });
    expect(finished).toMatchObject({ success: false, attempts: 0, func: "jobs.traced" });
    expect(finished?.error?.message).toMatch(/has version 2; this code reads version 1\. Update Qluster/);
    expect(shop.trace()).toEqual([]);
  });
});

describe("poison", () => {
  it("a task that was handed out too often without an ending fails with its history, and its hook is told (P305)", async () => {
    await using shop = await workshop({ workers: 1, maxDeliveries: 4 });
    const id = await shop.q.asyncTask(ref("jobs.traced", { hook: "jobs.hook" }), "poison");
    await setDeliveries(shop, id, 4);

    const cluster = await shop.cluster();
    const finished = await shop.q.fetch(id, limit);

    expect(finished).toMatchObject({ success: false, args: ["poison"], error: { name: "PoisonError" } });
    expect(finished?.error?.message).toContain("handed out 5 times and never ended");
    await cluster.says(/Set aside \[.*poison/);
    await until(() => shop.trace().some((line) => line.startsWith(`hook ${id} false`)), "the hook");
    expect(shop.trace().filter((line) => line.startsWith("start"))).toEqual([]);
  });

  it("a task whose cluster dies with it again and again is charged for each time, and runs no more (P305)", async () => {
    // It lives long enough for a heartbeat to name it: only then is its start on record.
    const tasks = `
export async function killsCluster(label) { started(label); await sleep(1_500); process.kill(process.ppid, "SIGKILL"); await sleep(60_000); }`;
    await using shop = await workshop({ workers: 1, lease: "1s", attempts: 3, maxDeliveries: 3 }, tasks);
    const id = await shop.q.asyncTask("jobs.killsCluster", "bad");
    let clusters = 0;
    while ((await shop.q.fetch(id)) === undefined && clusters < 8) {
      clusters += 1;
      const cluster = await shop.cluster({ noWait: true });
      await Promise.race([cluster.exited, shop.q.fetch(id, limit)]);
    }

    const starts = shop.trace().length;
    expect(starts).toBeLessThanOrEqual(4);
    expect(await shop.q.fetch(id)).toMatchObject({ success: false });
    expect(await shop.q.result(await shop.q.asyncTask("jobs.add", 1, 2), limit)).toBe(3);
  });
});
