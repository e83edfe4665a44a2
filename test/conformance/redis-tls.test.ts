import { readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBackend } from "../../src/backends/redis/index.js";
import type { BackendOptions } from "../../src/contracts/backend.js";
import { newTask, runTask } from "../../src/testing/tasks.js";
import { makeCertificate, type Certificate } from "../support/certificate.js";
import { freePort } from "../support/postgres-server.js";
import { startRedis, type RedisServer } from "../support/redis.js";

let server: RedisServer;
let own: Certificate;
let encrypted: number;

beforeAll(async () => {
  own = makeCertificate();
  encrypted = await freePort();
  const files = ["--tls-cert-file", own.certificate, "--tls-key-file", own.key, "--tls-ca-cert-file", own.certificate];
  server = await startRedis({ flags: ["--tls-port", String(encrypted), "--tls-auth-clients", "no", ...files] });
});
afterAll(async () => {
  await server.stop();
  rmSync(own.folder, { recursive: true, force: true });
});

function optionsFor(given: Pick<BackendOptions, "location"> & { readonly client?: unknown }): BackendOptions {
  return { project: "shop", durability: "process", migrate: true, blockMs: 50, retryMs: 1_000, ...given };
}

describe("an encrypted connection to Redis", () => {
  it("carries a task to its result, with an authority of one's own", async () => {
    const tls = { ca: readFileSync(own.certificate) };
    const client = { host: "127.0.0.1", port: encrypted, tls };
    await using backend = await openBackend(optionsFor({ location: "", client }));
    const task = newTask("t");

    await runTask(backend, task);

    expect(await backend.store.finished([task.id])).toMatchObject([{ state: "succeeded" }]);
  });

  it.each([
    ["an authority that nobody knows", (): string => `rediss://127.0.0.1:${encrypted}`, /self-signed certificate/],
    [
      "a port that does not encrypt",
      (): string => `rediss://127.0.0.1:${server.port}`,
      /begin the URL with "redis:\/\/"/,
    ],
  ])("is refused with %s, with the reason", async (_, location, reason) => {
    const opening = openBackend(optionsFor({ location: location() })).then((one) => one[Symbol.asyncDispose]());

    await expect(opening).rejects.toThrow(reason);
  });
});
