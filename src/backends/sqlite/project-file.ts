import type { Clock } from "../../contracts/clock.js";
import type { OutboxOptions } from "../../contracts/outbox.js";
import type { Connection } from "./connection.js";
import type { SqlValue } from "./driver.js";
import type { SqliteSchema } from "./schema.js";
import type { WakeUp } from "./wake-up.js";

/** The project that a row belongs to, the store's time, and who carries its messages. */
export type Moment = Pick<Session, "project" | "now" | "outbox">;

/** What runs inside one transaction, or as one statement. */
export interface Session {
  /** The project's number in this file. */
  readonly project: number;
  /** The store's time, the same for the whole session. */
  readonly now: number;
  /** There when a broker elsewhere carries the tasks. */
  readonly outbox: OutboxOptions | null;
  /** The number of rows changed. */
  run(sql: string, parameters: readonly SqlValue[]): number;
  all<Row>(sql: string, parameters: readonly SqlValue[]): Row[];
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as `all`, whose shape the statement's author knows
  first<Row>(sql: string, parameters: readonly SqlValue[]): Row | undefined;
}

/** The file as one project sees it. Checks the tables once, before the first use. */
export class ProjectFile {
  readonly #connection: Connection;
  readonly #schema: SqliteSchema;
  readonly #clock: Clock;
  readonly #name: string;
  readonly #outbox: OutboxOptions | null;
  readonly wakeUp: WakeUp;
  #project: number | undefined;

  constructor(parts: {
    readonly connection: Connection;
    readonly schema: SqliteSchema;
    readonly clock: Clock;
    readonly wakeUp: WakeUp;
    readonly project: string;
    readonly outbox: OutboxOptions | null;
  }) {
    this.#connection = parts.connection;
    this.#schema = parts.schema;
    this.#clock = parts.clock;
    this.#name = parts.project;
    this.#outbox = parts.outbox;
    this.wakeUp = parts.wakeUp;
  }

  get isClosed(): boolean {
    return this.#connection.isClosed;
  }

  /** Reads only: other processes may write meanwhile, between two statements too. */
  async read<T>(work: (session: Session) => T): Promise<T> {
    if (this.#project === undefined) await this.ready();
    return this.#connection.read(() => work(this.#session()));
  }

  /** All of `work`, or nothing. */
  async write<T>(work: (session: Session) => T): Promise<T> {
    if (this.#project === undefined) await this.ready();
    return this.#connection.transaction(() => work(this.#session()));
  }

  /** A write by one statement; with an outbox by two, as the second says when the first one's message is to be sent. */
  async writeSingle<T>(work: (session: Session) => T): Promise<T> {
    if (this.#outbox !== null) return this.write(work);
    if (this.#project === undefined) await this.ready();
    return this.#connection.single(() => work(this.#session()));
  }

  /** Checks the tables and enters the project. @throws {SchemaError} */
  async ready(): Promise<void> {
    if (this.#project !== undefined) return;
    await this.#connection.read(() => this.#schema.assertUsable());
    this.#project = await this.#connection.transaction(() => this.#enter());
  }

  #enter(): number {
    const known = this.#connection.all<{ seq: number }>("SELECT seq FROM qluster_project WHERE name = ?", [
      this.#name,
    ])[0];
    if (known !== undefined) return known.seq;
    this.#connection.run("INSERT INTO qluster_project (name) VALUES (?)", [this.#name]);
    return this.#enter();
  }

  #session(): Session {
    return new FileSession(this.#connection, this.#project ?? 0, Math.floor(this.#clock.now()), this.#outbox);
  }
}

class FileSession implements Session {
  readonly project: number;
  readonly now: number;
  readonly outbox: OutboxOptions | null;
  readonly #connection: Connection;

  constructor(connection: Connection, project: number, now: number, outbox: OutboxOptions | null) {
    this.#connection = connection;
    this.project = project;
    this.now = now;
    this.outbox = outbox;
  }

  run(sql: string, parameters: readonly SqlValue[]): number {
    return this.#connection.run(sql, parameters);
  }

  all<Row>(sql: string, parameters: readonly SqlValue[]): Row[] {
    return this.#connection.all<Row>(sql, parameters);
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as `all`, whose shape the statement's author knows
  first<Row>(sql: string, parameters: readonly SqlValue[]): Row | undefined {
    return this.#connection.all<Row>(sql, parameters)[0];
  }
}
