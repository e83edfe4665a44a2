import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/** What a network does to those who talk through it. */
export type Weather =
  /** Passes everything on. */
  | "fair"
  /** Ends what there is, and whatever tries to come. */
  | "cut"
  /** Loses every byte and tells nobody; connections of that time stay dead for ever. */
  | "silent"
  /** Keeps every byte until the weather is fair again. */
  | "frozen"
  /** Loses the answers only: what is asked arrives, and is carried out. */
  | "deaf";

/** A network between clients and a server, which a test can break. */
export interface TcpProxy {
  readonly port: number;
  /** Where new connections lead. */
  target: number;
  /** How late every byte comes, each way, in milliseconds. */
  delayMs: number;
  readonly weather: Weather;
  become(weather: Weather): void;
  /** Ends every connection now, both ways; new ones are let in. */
  drop(): void;
  /** Tells every client that the server will say no more, and listens on. */
  halfClose(): void;
  /** The same address, through this proxy. */
  through(address: string): string;
  close(): Promise<void>;
}

/** @param target - A port of this machine. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const links = new Set<Link>();
  let weather: Weather = "fair";
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    if (weather === "cut") return void client.destroy();
    const link = new Link(client, proxy);
    links.add(link);
    client.once("close", () => links.delete(link));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const drop = (): void => {
    for (const link of links) link.end();
  };
  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    target,
    delayMs: 0,
    get weather() {
      return weather;
    },
    become: (next) => {
      weather = next;
      if (next === "cut") drop();
      if (next === "silent") for (const link of links) link.die();
      if (next === "fair") for (const link of links) link.thaw();
    },
    drop,
    halfClose: () => {
      for (const link of links) link.halfClose();
    },
    through: (address) => {
      const url = new URL(address);
      url.port = String(proxy.port);
      return url.href;
    },
    close: async () => {
      drop();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

/** Bytes, and when they arrive. */
interface Travelling {
  readonly at: number;
  readonly go: () => void;
}

/** One client, and its connection to the server. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket | undefined;
  readonly #proxy: TcpProxy;
  #isDead = false;
  #kept: (() => void)[] = [];
  /** What is on its way, in each direction: later bytes never overtake. */
  readonly #there: Travelling[] = [];
  readonly #back: Travelling[] = [];

  constructor(client: Socket, proxy: TcpProxy) {
    this.#client = client;
    this.#proxy = proxy;
    client.on("error", () => this.end());
    if (proxy.weather === "silent") {
      this.die();
      client.resume().on("end", () => client.destroy());
      return;
    }
    this.#server = connect({ port: proxy.target, host: "127.0.0.1", allowHalfOpen: true });
    this.#server.on("error", () => this.end());
    this.#carry(client, this.#server);
    this.#carry(this.#server, client);
  }

  die(): void {
    this.#isDead = true;
    this.#kept = [];
    this.#server?.destroy();
  }

  thaw(): void {
    for (const pass of this.#kept.splice(0)) pass();
  }

  halfClose(): void {
    if (!this.#isDead) this.#client.end();
  }

  end(): void {
    this.#client.destroy();
    this.#server?.destroy();
  }

  #carry(from: Socket, to: Socket): void {
    const isAnswer = from !== this.#client;
    from.on("data", (bytes: Buffer) => this.#pass(isAnswer, () => to.writable && to.write(bytes)));
    from.on("end", () => this.#pass(isAnswer, () => to.end()));
    from.on("close", () => {
      // The server's end is told by the network, unless the network says nothing.
      if (!this.#isDead) this.#pass(isAnswer, () => to.destroySoon());
    });
  }

  #pass(isAnswer: boolean, go: () => void): void {
    const { weather, delayMs } = this.#proxy;
    if (this.#isDead || (weather === "deaf" && isAnswer)) return;
    if (weather === "frozen") return void this.#kept.push(go);
    const way = isAnswer ? this.#back : this.#there;
    if (delayMs <= 0 && way.length === 0) return go();
    way.push({ at: performance.now() + delayMs, go });
    if (way.length === 1) this.#arrive(way);
  }

  #arrive(way: Travelling[]): void {
    const now = performance.now();
    while (way[0] !== undefined && way[0].at <= now) {
      way[0].go();
      way.shift();
    }
    if (way[0] !== undefined) setTimeout(() => this.#arrive(way), way[0].at - now);
  }
}
