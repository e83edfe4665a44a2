import { setTimeout as pause } from "node:timers/promises";
import type { QueryResult } from "pg";
import type { Clock } from "../../contracts/clock.js";
import type { OutboxOptions } from "../../contracts/outbox.js";
import { ClosedError, ConfigError, StoreUnavailableError } from "../../errors.js";
import { newPool, type Pool, type PoolClient, type PoolConfig } from "./driver.js";
import { Gate } from "./gate.js";
import { isConflict, isForeignStatement, isLost } from "./postgres-error.js";
import { Silence, type Limit } from "./silence.js";
import { rendered, serverTime, unnamed, type SqlValue, type Statement } from "./statement.js";
import { translated } from "./translated-error.js";
import { typeParsers } from "./type-parsers.js";

/** A statement that takes longer counts as lost, in milliseconds: behind a silent network it would never return. */
const limitMs = 10_000;
const longest: Limit = { ms: limitMs };
/** A server that is there greets sooner, in milliseconds. One that is busy is asked again. */
const greetingMs = 3_000;
/** How often two transactions may stand in each other's way before the caller is told. */
const mostConflicts = 10;
/** Older servers know neither generated numbers nor the plans that the claim relies on. */
const oldestVersion = 120_000;

/** What runs as one statement, or as part of one transaction. */
export interface Queries {
  /** There when a broker elsewhere carries the tasks. */
  readonly outbox: OutboxOptions | null;
  all<Row>(statement: Statement, parameters?: readonly SqlValue[]): Promise<Row[]>;
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as `all`, whose shape the statement's author knows
  first<Row>(statement: Statement, parameters?: readonly SqlValue[]): Promise<Row | undefined>;
  /** Rows as arrays: cheaper, where there are many. */
  arrays<Row>(statement: Statement, parameters?: readonly SqlValue[]): Promise<Row[]>;
  /** The number of rows changed. */
  run(statement: Statement, parameters?: readonly SqlValue[]): Promise<number>;
}

interface ConnectionParts {
  readonly pool: Pool;
  /** Ours to end. */
  readonly isOwn: boolean;
  readonly schema: string;
  /** The database for people, without a password. */
  readonly place: string;
  readonly listen: "auto" | "on" | "off";
  /** Given by tests: instead of the server's clock. */
  readonly clock: Clock | undefined;
  /** Of statements that are always done in a moment. */
  readonly answerMs: number;
}

/** Connections to one database, as one schema sees it. */
export class Connections {
  readonly schema: string;
  readonly place: string;
  readonly #parts: ConnectionParts;
  readonly #texts = new Map<string, string>();
  readonly #gate: Gate;
  readonly #silence: Silence;
  #greeting: Promise<void> | undefined;
  #isNamed: boolean;
  #canListen: boolean;
  #isClosed = false;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#silence = new Silence(parts.answerMs);
    this.schema = parts.schema;
    this.place = parts.place;
    this.#isNamed = this.#canListen = parts.listen !== "off";
    // One connection listens.
    this.#gate = new Gate((optionsOf(parts.pool).max ?? 10) - 1);
    parts.pool.on("error", ignore);
    parts.pool.on("connect", bearErrors);
  }

  /** Opens nothing yet. @param client - A pool or options for one, when the application has them. */
  static async create(
    location: { readonly schema: string; readonly listen: "auto" | "on" | "off"; readonly pool: PoolConfig },
    client: unknown,
    clock: Clock | undefined,
    answerMs: number = greetingMs,
  ): Promise<Connections> {
    const isLent = typeof (client as Partial<Pool> | undefined)?.connect === "function";
    const options: PoolConfig = {
      ...poolDefaults,
      connectionTimeoutMillis: answerMs,
      ...location.pool,
      ...(client as PoolConfig | undefined),
    };
    const pool = isLent ? (client as Pool) : await newPool(options);
    const { schema, listen } = location;
    return new Connections({
      pool,
      isOwn: !isLent,
      schema,
      listen,
      clock,
      answerMs,
      place: placeOf(isLent ? optionsOf(pool) : options),
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether notifications reach us. Not behind a proxy that lends connections for one transaction each. */
  get canListen(): boolean {
    return this.#canListen;
  }

  /** One statement, committed by itself. */
  async query(statement: Statement, parameters: readonly SqlValue[], isArray = false): Promise<QueryResult> {
    const work = (client: PoolClient): Promise<QueryResult> => this.#send(client, statement, parameters, isArray);
    return await this.#use(work, this.#silence.limitOf(statement, longest));
  }

  /** All of `work`, or nothing. It may run more than once, when other transactions stood in its way. */
  async transaction<T>(work: (send: Send) => Promise<T>): Promise<T> {
    return await this.#use(async (client) => {
      await client.query("BEGIN");
      const value = await work((statement, parameters, isArray) => this.#send(client, statement, parameters, isArray));
      await client.query("COMMIT");
      return value;
    }, longest);
  }

  /** Several statements without parameters, inside a transaction of the caller. */
  render(text: string): string {
    const { clock } = this.#parts;
    return rendered(text, this.schema, clock === undefined ? serverTime : `${Math.floor(clock.now())}::bigint`);
  }

  /** A connection of one's own for as long as it lives. */
  async hold(): Promise<PoolClient> {
    await this.#greet();
    return await this.#checkout();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { pool, isOwn } = this.#parts;
    if (isOwn) return await pool.end();
    pool.off("error", ignore);
    pool.off("connect", bearErrors);
  }

  async #use<T>(work: (client: PoolClient) => Promise<T>, limit: Limit): Promise<T> {
    await this.#greet();
    for (let tries = 1; ; tries++) {
      try {
        return await this.#useOnce(work, limit);
      } catch (error) {
        if (isForeignStatement(error) && this.#isNamed) {
          // A proxy that we did not recognise: from now on we work as behind one.
          this.#isNamed = this.#canListen = false;
        } else if (isConflict(error) && tries < mostConflicts) {
          await pause(Math.random() * 5 * tries);
        } else throw translated(this.place, error);
      }
    }
  }

  async #useOnce<T>(work: (client: PoolClient) => Promise<T>, limit: Limit = longest): Promise<T> {
    await this.#gate.enter();
    try {
      return await this.#useClient(await this.#checkoutForAll(), work, limit);
    } finally {
      this.#gate.leave();
    }
  }

  async #checkoutForAll(): Promise<PoolClient> {
    try {
      return await this.#checkout();
    } catch (error) {
      this.#gate.turnAway(error);
      throw error;
    }
  }

  async #useClient<T>(client: PoolClient, work: (client: PoolClient) => Promise<T>, limit: Limit): Promise<T> {
    let isBroken = false;
    const broke = (): void => void (isBroken = true);
    client.on("error", broke);
    try {
      const value = await inTime(work(client), limit.ms, this.place);
      this.#silence.answered(client, limit);
      return value;
    } catch (error) {
      if (error instanceof StoreUnavailableError) this.#silence.noticed(limit);
      isBroken ||= error instanceof StoreUnavailableError || isLost(error) || severityOf(error) === "FATAL";
      // Harmless where no transaction is open.
      if (!isBroken) await client.query("ROLLBACK").catch(broke);
      throw error;
    } finally {
      client.off("error", broke);
      client.release(isBroken);
    }
  }

  async #send(
    client: PoolClient,
    statement: Statement,
    parameters: readonly SqlValue[],
    isArray = false,
  ): Promise<QueryResult> {
    const text = this.#textOf(statement);
    // A test's clock changes the text.
    const isNamed = this.#isNamed && this.#parts.clock === undefined && statement.name !== unnamed;
    return await client.query({
      ...(isNamed ? { name: `qluster.${this.schema}.${statement.name}` } : {}),
      text,
      values: [...parameters],
      types: typeParsers,
      ...(isArray ? { rowMode: "array" } : {}),
    });
  }

  #textOf({ name, text }: Statement): string {
    if (this.#parts.clock !== undefined || name === unnamed) return this.render(text);
    let known = this.#texts.get(name);
    if (known === undefined) this.#texts.set(name, (known = this.render(text)));
    return known;
  }

  /** A connection that has answered since the last silence: the others broke in it, and each would cost a wait. */
  async #checkout(): Promise<PoolClient> {
    for (;;) {
      const client = await this.#connect();
      if (!this.#silence.isSuspect(client)) return client;
      client.release(true);
    }
  }

  async #connect(): Promise<PoolClient> {
    if (this.#isClosed) throw new ClosedError();
    const connecting = this.#parts.pool.connect();
    try {
      return await inTime(connecting, limitMs, this.place);
    } catch (error) {
      connecting.then(
        (late) => late.release(),
        () => {},
      );
      throw withoutWrites(translated(this.place, error));
    }
  }

  /** Looks once who answers. */
  async #greet(): Promise<void> {
    this.#greeting ??= this.#meet().catch((error: unknown) => {
      this.#greeting = undefined;
      throw translated(this.place, error);
    });
    await this.#greeting;
  }

  async #meet(): Promise<void> {
    const { rows } = await this.#useOnce((client) =>
      client.query<Greeting>({ text: greetingSql, types: typeParsers }).then(({ rows: [row] }) => ({
        rows: [{ ...row!, ownPid: (client as { processID?: number | null }).processID ?? null }],
      })),
    );
    const { version, name, pid, ownPid } = rows[0]!;
    if (version < oldestVersion) {
      throw new ConfigError([
        `database: ${this.place} is PostgreSQL ${name}; Qluster needs version 12 or newer. Upgrade the server, or use another.`,
      ]);
    }
    // A proxy tells its clients a number of its own.
    const isProxied = ownPid !== null && pid !== ownPid;
    if (this.#parts.listen === "auto" && isProxied) this.#isNamed = this.#canListen = false;
  }
}

export type Send = (statement: Statement, parameters: readonly SqlValue[], isArray?: boolean) => Promise<QueryResult>;

interface Greeting {
  readonly version: number;
  readonly name: string;
  readonly pid: number;
}

const greetingSql =
  "SELECT current_setting('server_version_num')::int AS version, current_setting('server_version') AS name, " +
  "pg_backend_pid() AS pid";

const poolDefaults: PoolConfig = {
  max: 10,
  idleTimeoutMillis: 60_000,
  keepAlive: true,
  application_name: "qluster",
  // A script that has enqueued something may end without a word.
  allowExitOnIdle: true,
};

/** Pools of other makers need not tell theirs. */
function optionsOf(pool: { readonly options?: PoolConfig | undefined }): PoolConfig {
  return pool.options ?? {};
}

function placeOf({ host, port, database, connectionString }: PoolConfig): string {
  if (connectionString !== undefined) {
    const url = URL.canParse(connectionString) ? new URL(connectionString) : undefined;
    return url === undefined ? "of the given options" : `${url.host}${url.pathname}`;
  }
  const at = `${host ?? process.env["PGHOST"] ?? "localhost"}:${port ?? process.env["PGPORT"] ?? 5432}`;
  const name = database ?? process.env["PGDATABASE"];
  return name === undefined ? at : `${at}/${name}`;
}

/** Rejects when it takes too long: the write may have arrived. */
async function inTime<T>(work: Promise<T>, ms: number, place: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const text = `The Postgres database ${place} did not answer within ${ms / 1_000} s. Check the server and the network.`;
      reject(new StoreUnavailableError(text, { maybeWritten: true }));
    }, ms).unref();
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Without a connection nothing can have been written. */
function withoutWrites(error: unknown): unknown {
  if (!(error instanceof StoreUnavailableError) || !error.maybeWritten) return error;
  return new StoreUnavailableError(error.message, { cause: error.cause });
}

function severityOf(error: unknown): unknown {
  return error instanceof Error && "severity" in error ? error.severity : undefined;
}

/** Idle connections that break are replaced by the pool; whoever needs one meets the error itself. */
function ignore(): void {}

/** One that breaks in the moment when the pool hands it over has no listener yet, and would end the process. */
function bearErrors(client: PoolClient): void {
  client.on("error", ignore);
}
