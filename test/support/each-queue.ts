import { afterEach, beforeEach } from "vitest";
import type { Backend } from "../../src/contracts/backend.js";
import { createQluster } from "../../src/client/create-qluster.js";
import type { Qluster } from "../../src/client/types.js";
import type { QlusterConfig } from "../../src/options/config.js";
import type { Opened } from "./backends.js";
import { secret } from "./run-queued.js";

/** Of a queue that is handed its backend. */
export const testConfig = { name: "test", database: "memory:", secret, logLevel: "silent" } as const;

/** Hands each test a queue on an empty backend, and takes both away after it. */
export function eachQueue(
  open: () => Promise<Opened>,
  hand: (fresh: { readonly q: Qluster; readonly backend: Backend }) => void,
  config: QlusterConfig = testConfig,
): void {
  let opened: Opened;
  let q: Qluster;
  beforeEach(async () => {
    opened = await open();
    const { backend } = opened;
    q = createQluster(config, { backend, env: {} });
    hand({ q, backend });
  });
  afterEach(async () => {
    await q.close();
    await opened.remove();
  });
}
