import { Agent, request } from "node:http";
import type { ReviewCounts, ReviewState } from "../shop/reviews.js";
import type { DemoMessage } from "./message.js";

/** How many requests are under way at once, each on a connection that stays open. */
const connections = 16;

export interface ShownReview {
  readonly id: string;
  readonly state: ReviewState;
  readonly reasons: readonly string[];
  readonly notice: string | undefined;
}

/** A review that the shop has taken, and the task that will judge it. */
export interface Posted {
  readonly id: string;
  readonly task: string;
}

/** Speaks to the shop as a browser would: HTTP, JSON, connections kept alive. */
export class ShopClient implements Disposable {
  readonly #address: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: connections });

  constructor(address: string) {
    this.#address = address;
  }

  /**
   * Posts every message. A shop that refuses one is an error: all of them must be accounted for.
   *
   * @param taken - Told of each as soon as the shop has it.
   */
  async postAll(messages: readonly DemoMessage[], taken: (posted: Posted) => void): Promise<void> {
    await this.#each(messages, async ({ id, text }) => {
      taken(await this.#json<Posted>("POST", "/reviews", 202, { id, text }));
    });
  }

  async reviews(ids: readonly string[]): Promise<ShownReview[]> {
    const shown: ShownReview[] = [];
    await this.#each(ids, async (id) => {
      shown.push(await this.#json<ShownReview>("GET", `/reviews/${encodeURIComponent(id)}`, 200));
    });
    return shown;
  }

  async counts(): Promise<ReviewCounts> {
    return await this.#json<ReviewCounts>("GET", "/reviews", 200);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async #each<T>(all: readonly T[], visit: (one: T) => Promise<void>): Promise<void> {
    const rest = all.values();
    const visitRest = async (): Promise<void> => {
      for (const one of rest) await visit(one);
    };
    await Promise.all(Array.from({ length: connections }, visitRest));
  }

  async #json<T>(method: string, path: string, expected: number, body?: unknown): Promise<T> {
    const { status, text } = await this.#send(method, path, body === undefined ? "" : JSON.stringify(body));
    if (status !== expected) throw new Error(`${method} ${path} was answered with ${status}: ${text}`);
    return JSON.parse(text) as T;
  }

  async #send(method: string, path: string, body: string): Promise<{ status: number; text: string }> {
    return await new Promise((resolve, reject) => {
      const options = { method, agent: this.#agent, headers: { "content-type": "application/json" } };
      const sent = request(`${this.#address}${path}`, options, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("error", reject).on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      });
      sent.on("error", reject).end(body);
    });
  }
}
