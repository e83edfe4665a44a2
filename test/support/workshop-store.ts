import { Client } from "pg";
import { onTestFinished } from "vitest";
import type { QlusterConfig } from "qluster";
import { openBackend as openPostgres } from "../../src/backends/postgres/index.js";
import { openBackend as openRedis } from "../../src/backends/redis/index.js";
import type { Backend } from "../../src/contracts/backend.js";
import type { Store } from "../../src/contracts/store.js";
import { locationOf, schemaOf } from "./postgres.js";
import { redisCli } from "./redis.js";
import { connectTo, openOn, rowsOf } from "./sqlite-file.js";

interface Shop {
  readonly config: QlusterConfig;
}

/** The store of a workshop, whichever database it is on. Closes when the test ends. */
export async function storeOf(shop: Shop): Promise<Store> {
  return (await backendOf(shop)).store;
}

/** Store and broker of a workshop, whichever database it is on. Closes when the test ends. */
export async function backendOf(shop: Shop): Promise<Backend> {
  const redis = redisOf(shop);
  if (redis !== undefined) return await opened(await openRedis({ ...openOptions, location: redis }));
  const url = postgresOf(shop);
  if (url === undefined) return await openOn(sqliteOf(shop), { project: "test" });
  return await opened(await openPostgres({ ...openOptions, location: locationOf(url) }));
}

const openOptions = { project: "test", durability: "process", migrate: true, blockMs: 20, retryMs: 5_000 } as const;

async function opened(backend: Backend): Promise<Backend> {
  onTestFinished(() => backend[Symbol.asyncDispose]());
  return backend;
}

/** Makes it look as if a task had been handed out so often without an ending. */
export async function setDeliveries(shop: Shop, id: string, deliveries: number): Promise<void> {
  const redis = redisOf(shop);
  if (redis !== undefined) redisCli(redis, "hset", "{qluster:test}:x", id, `${deliveries};0;0;;;;`);
  else await execute(shop, `UPDATE qluster_message SET deliveries = ${deliveries} WHERE id = '${id}'`);
}

/** Runs SQL on the tables of a workshop, as a hand would. */
export async function execute(shop: Shop, sql: string): Promise<void> {
  const url = postgresOf(shop);
  if (url === undefined) connectTo(sqliteOf(shop)).exec(sql);
  else await withClient(url, (client) => client.query(sql));
}

/** The rows of a query on the tables of a workshop. */
export async function rows<Row>(shop: Shop, sql: string): Promise<Row[]> {
  const url = postgresOf(shop);
  if (url === undefined) return rowsOf<Row>(connectTo(sqliteOf(shop)), sql);
  return (await withClient(url, (client) => client.query(sql))).rows as Row[];
}

async function withClient<T>(url: URL, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await plainClient(url);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** A connection to the database, in which our tables need no schema's name. */
export async function plainClient(url: URL): Promise<Client> {
  const plain = new URL(url);
  plain.search = "";
  const client = new Client({ connectionString: plain.href });
  await client.connect();
  await client.query(`SET search_path = "${schemaOf(url)}"`);
  return client;
}

/** The address of a workshop on Postgres. */
export function postgresOf({ config }: Shop): URL | undefined {
  const text = addressOf({ config });
  return text.startsWith("postgres:") ? new URL(text) : undefined;
}

/** The address of a workshop on Redis. */
export function redisOf(shop: Shop): string | undefined {
  const text = addressOf(shop);
  return text.startsWith("redis:") ? text : undefined;
}

/** The file of a workshop on SQLite. */
export function sqliteOf(shop: Shop): string {
  return addressOf(shop).replace("sqlite:", "");
}

function addressOf({ config: { database } }: Shop): string {
  if (typeof database !== "string") throw new Error("A workshop names its database by an address.");
  return database;
}
