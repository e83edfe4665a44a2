import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Consumer, install, openConsumer } from "./consumer.js";

let consumer: Consumer;
let service: Server;
const received: string[] = [];

beforeAll(async () => {
  consumer = await openConsumer();
  await install(consumer, "@sentry/node@11.12.0", "rollbar@3.1.0");
  service = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString("latin1")));
    request.on("end", () => {
      received.push(`${request.url} ${body}`);
      response.setHeader("content-type", "application/json").end('{"err":0,"result":{}}');
    });
  });
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
});

afterAll(() => {
  service.close();
  consumer.remove();
});

/** The module under a heading of the document. */
function documented(heading: string): string {
  const [, text = ""] = readFileSync("docs/error-reporters.md", "utf8").split(`## ${heading}\n`);
  return /```ts\n([^]*?)```/.exec(text)?.[1] ?? "";
}

it("tells Sentry and Rollbar of a failed attempt, by the reporters of the document (P353)", async () => {
  const { port } = service.address() as AddressInfo;
  const address = `127.0.0.1:${port}`;
  consumer.write("reporters/sentry.ts", documented("Sentry"));
  // Its own service cannot be reached from a test.
  const endpoint = `{ endpoint: "http://${address}/rollbar/", accessToken`;
  consumer.write("reporters/rollbar.ts", documented("Rollbar").replace("{ accessToken", endpoint));
  consumer.write("tasks.ts", `export function pay(): never { throw new RangeError("no such card"); }`);
  const config = { name: "shop", database: "sqlite:q.db", tasks: ["tasks.ts"], attempts: 1 };
  const errorReporters = ["./reporters/sentry.ts", "./reporters/rollbar.ts"];
  consumer.write("qluster.config.json", JSON.stringify({ ...config, errorReporters }));
  const env = { SENTRY_DSN: `http://key@${address}/1`, ROLLBAR_TOKEN: "a".repeat(32) };

  await consumer.succeed("npx", ["qluster", "enqueue", "tasks.pay"], env);
  await consumer.succeed("npx", ["qluster", "cluster", "--drain", "--workers", "1"], env);

  const sentry = received.find((line) => line.startsWith("/api/1/envelope"));
  expect(sentry).toContain("no such card");
  expect(sentry).toContain("tasks.pay");
  const rollbar = received.find((line) => line.startsWith("/rollbar/"));
  expect(rollbar).toContain("no such card");
  expect(rollbar).toContain("tasks.pay");
});
