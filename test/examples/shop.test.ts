import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const cli = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const folder = fileURLToPath(new URL("../../examples/reviews", import.meta.url));

describe("the shop of examples/reviews", () => {
  const data = mkdtempSync(join(tmpdir(), "qluster-shop-test-"));
  let shop: ChildProcess;
  let address: string;

  beforeAll(async () => {
    const env = { ...process.env, REVIEWS_DATA: data, PORT: "0" };
    const child = spawn(process.execPath, ["--import", "jiti/register", join(folder, "server.ts")], {
      cwd: folder,
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    shop = child;
    const [greeting] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    address = /http:\/\/\S+/.exec(greeting)?.[0] ?? "";
  });

  afterAll(async () => {
    const exited = once(shop, "exit");
    shop.kill("SIGTERM");
    const [code] = (await exited) as [number | null];
    rmSync(data, { recursive: true, force: true });
    expect(code).toBe(0);
  });

  const post = async (body: string): Promise<Response> => await fetch(`${address}/reviews`, { method: "POST", body });

  it("takes a message at once, and shows it as pending until a cluster has judged it", async () => {
    const answer = await post(JSON.stringify({ id: "first", text: "Good shoes." }));

    expect(answer.status).toBe(202);
    expect(await answer.json()).toEqual({ id: "first", task: expect.stringMatching(/^[\da-f]{32}$/) });
    const review = await fetch(`${address}/reviews/first`);
    expect(await review.json()).toEqual({ id: "first", state: "pending", reasons: [] });
  });

  it("takes the same message twice as one, with one task", async () => {
    const body = JSON.stringify({ id: "twice", text: "Sent again, for the answer was lost." });

    const [one, other] = [await post(body), await post(body)];

    expect(await other.json()).toEqual(await one.json());
  });

  it("refuses another message under an id that is taken", async () => {
    await post(JSON.stringify({ id: "taken", text: "One." }));

    const answer = await post(JSON.stringify({ id: "taken", text: "Another." }));

    expect(answer.status).toBe(409);
    expect(await answer.json()).toEqual({ error: 'There is another review "taken". Choose another id.' });
  });

  it.each([
    ["no JSON", "hello", 400, "The body is not JSON."],
    ["no text", "{}", 400, 'Send {"text": "your message"}; "id" is optional.'],
    ["an empty id", '{"id":"","text":"x"}', 400, '"id" must be a text that is not empty.'],
    [
      "more than a megabyte",
      JSON.stringify({ text: "x".repeat(1024 * 1024) }),
      413,
      "A message may have 1048576 bytes",
    ],
  ])("says what is wrong with a request that has %s", async (_, body, status, message) => {
    const answer = await post(body);

    expect(answer.status).toBe(status);
    expect(((await answer.json()) as { error: string }).error).toContain(message);
  });

  it("has declared its schedules, which a cluster will fire", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [cli, "schedule", "list"], {
      cwd: folder,
      env: { ...process.env, REVIEWS_DATA: data },
    });

    expect(stdout).toContain("daily report  tasks.dailyReport  [declared in code]\n  Every day at 08:00 (UTC).");
    expect(stdout).toContain("nightly cleanup  tasks.nightlyCleanup");
  });

  it("says that it knows no such review", async () => {
    const answer = await fetch(`${address}/reviews/nobody`);

    expect(answer.status).toBe(404);
  });
});
