import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ref } from "qluster";
import { shopFile } from "./places.js";
import { queue } from "./queue.js";
import { schedules } from "./schedules.js";
import { openReviews, type Review } from "./shop/reviews.js";
import type { moderateReview } from "./tasks.js";

/** The largest request body, in bytes. */
const maxBody = 1024 * 1024;

// Opened now: a transaction on the shop's synchronous connection could not wait for it.
await queue.open();
const reviews = await openReviews(shopFile);

/** An answer that is no success: its status, and what the client should change. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const server = createServer((request, response) => void answer(request, response));
server.listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1", () => {
  console.log(`The shop listens on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

await queue.schedules.sync(schedules);

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const [status, body] = await route(request);
    send(response, status, body);
  } catch (error) {
    if (error instanceof Refusal) return send(response, error.status, { error: error.message });
    console.error(error);
    send(response, 500, { error: "Something went wrong here. Please try again." });
  }
}

async function route(request: IncomingMessage): Promise<[status: number, body: unknown]> {
  const { pathname } = new URL(request.url ?? "/", "http://shop");
  if (request.method === "POST" && pathname === "/reviews") return [202, await postReview(await readJson(request))];
  if (request.method === "GET" && pathname === "/reviews") return [200, reviews.counts()];
  if (request.method === "GET" && pathname.startsWith("/reviews/")) {
    return [200, getReview(decodeURIComponent(pathname.slice("/reviews/".length)))];
  }
  throw new Refusal(404, `There is nothing at ${request.method} ${pathname}. Try POST /reviews or GET /reviews/<id>.`);
}

/** Stores the message and asks for its moderation, in one transaction. Answers at once; the work is done elsewhere. */
async function postReview(body: unknown): Promise<{ id: string; task: string }> {
  const { id = randomUUID(), text } = (body ?? {}) as { id?: unknown; text?: unknown };
  if (typeof text !== "string") throw new Refusal(400, 'Send {"text": "your message"}; "id" is optional.');
  if (typeof id !== "string" || id === "") throw new Refusal(400, '"id" must be a text that is not empty.');

  const moderation = ref<typeof moderateReview>("tasks.moderateReview", { hook: "tasks.notifyClient", unique: id });
  const asked = reviews.add(id, text, (tx) => queue.in(tx).asyncTask(moderation, id));
  if (asked === undefined) return sentAgain(id, text);
  const task = await asked;
  reviews.setTask(id, task);
  return { id, task };
}

/** With the same text it is the same message: the client had no answer the first time. */
function sentAgain(id: string, text: string): { id: string; task: string } {
  const review = reviews.find(id);
  if (review?.text !== text) throw new Refusal(409, `There is another review "${id}". Choose another id.`);
  return { id, task: review.task ?? "on its way" };
}

function getReview(id: string): Omit<Review, "text" | "task"> {
  const review = reviews.find(id);
  if (review === undefined) throw new Refusal(404, `There is no review "${id}".`);
  const { text: _, task: __, ...shown } = review;
  return shown;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBody) throw new Refusal(413, `A message may have ${maxBody} bytes at most.`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw new Refusal(400, "The body is not JSON.");
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void stop());

async function stop(): Promise<void> {
  server.close();
  server.closeAllConnections();
  await queue.close();
  reviews.close();
}
