import { connect, createServer } from "node:net";
import { onTestFinished } from "vitest";

/** Stands between a client and a server on this machine, and can break their connection at a chosen moment. */
export interface LossyProxy {
  readonly port: number;
  /** Loses the next request before it arrives, or its reply, with the connection. Calls `meanwhile` in between. */
  lose(what: "request" | "reply", meanwhile?: () => Promise<unknown>): void;
}

/** Listens on a free port until the test ends. */
export async function lossyProxy(serverPort: number): Promise<LossyProxy> {
  let loss: { readonly what: "request" | "reply"; readonly meanwhile: () => Promise<unknown> } | undefined;
  const server = createServer((client) => {
    const upstream = connect(serverPort, "127.0.0.1");
    const lose = async (): Promise<void> => {
      const current = loss;
      loss = undefined;
      await current?.meanwhile();
      client.destroy();
      upstream.destroy();
    };
    client.on("data", (bytes) => (loss?.what === "request" ? void lose() : upstream.write(bytes)));
    upstream.on("data", (bytes) => (loss?.what === "reply" ? void lose() : client.write(bytes)));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    lose: (what, meanwhile = async () => {}) => (loss = { what, meanwhile }),
  };
}
