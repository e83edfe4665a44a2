import type { BackendOptions } from "../../contracts/backend.js";
import type { Clock } from "../../contracts/clock.js";
import { ClosedError, StoreUnavailableError } from "../../errors.js";
import type { SqliteDatabase, SqliteDriver, SqliteStatement, SqlValue } from "./driver.js";
import { LockLine } from "./lock-line.js";
import { isBusy } from "./sqlite-error.js";
import { translated, translating } from "./translated-error.js";

type ConnectionOptions = Pick<BackendOptions, "location" | "durability" | "blockMs" | "retryMs">;

/**
 * One connection to the file. Calls run one after the other, each within one turn of the loop, so transactions never
 * mix. While another process writes, a call blocks the thread for `blockMs` at most, then waits asynchronously.
 */
export class Connection {
  readonly #database: SqliteDatabase;
  readonly #options: ConnectionOptions;
  readonly #closesLocked: boolean;
  readonly #line: LockLine;
  readonly #statements = new Map<string, SqliteStatement>();
  #isClosed = false;

  private constructor(database: SqliteDatabase, closesLocked: boolean, options: ConnectionOptions, clock: Clock) {
    this.#database = database;
    this.#options = options;
    this.#closesLocked = closesLocked;
    this.#line = new LockLine(clock, options.retryMs);
  }

  /** Opens the file in WAL mode. Waits while another process does the same for the first time. */
  static async open(driver: SqliteDriver, options: ConnectionOptions, clock: Clock): Promise<Connection> {
    const database = translating(options.location, () => driver.open(options.location));
    const connection = new Connection(database, driver.closesLocked, options, clock);
    try {
      connection.#blockFor(options.blockMs);
      await connection.#run(() => connection.#prepareFile());
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Reads. Who only reads need not wait for those who want to write. */
  read<T>(work: () => T): Promise<T> {
    return this.#run(work, true);
  }

  /** Writes in one transaction, which holds the write lock from its start. Whatever `work` throws rolls it back. */
  transaction<T>(work: () => T): Promise<T> {
    return this.#run(() => this.#transact(work));
  }

  /**
   * Writes by a single statement, which is a transaction by itself.
   *
   * Not so with libsql: after "database is locked" it leaves the statement open, and with it the connection's view of the
   * file, so that every later write would be refused. `BEGIN` leaves nothing open.
   */
  single<T>(work: () => T): Promise<T> {
    return this.#closesLocked ? this.#run(work) : this.transaction(work);
  }

  run(sql: string, parameters: readonly SqlValue[]): number {
    return this.#statement(sql).run(parameters);
  }

  all<Row>(sql: string, parameters: readonly SqlValue[]): Row[] {
    return this.#statement(sql).all<Row>(parameters);
  }

  /** Several statements without parameters. */
  script(sql: string): void {
    this.#database.exec(sql);
  }

  /** Changes whenever another connection, in this process or another, has written. */
  dataVersion(): number {
    return this.all<{ data_version: number }>("PRAGMA data_version", [])[0]?.data_version ?? 0;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#statements.clear();
    this.#database.close();
  }

  async #run<T>(work: () => T, overtakes = false): Promise<T> {
    if (overtakes || this.#line.isEmpty) {
      const done = this.#attempt(work);
      if (done !== undefined) return done.value;
    }
    return this.#line.wait(
      () => this.#attemptWithoutBlocking(work),
      () => this.#lockedTooLong(),
    );
  }

  /** `undefined`: another process holds the lock. */
  #attempt<T>(work: () => T): { readonly value: T } | undefined {
    if (this.#isClosed) throw new ClosedError();
    try {
      return { value: work() };
    } catch (error) {
      if (isBusy(error)) return undefined;
      throw translated(this.#options.location, error);
    }
  }

  #attemptWithoutBlocking<T>(work: () => T): { readonly value: T } | undefined {
    this.#blockFor(0);
    try {
      return this.#attempt(work);
    } finally {
      this.#blockFor(this.#options.blockMs);
    }
  }

  #transact<T>(work: () => T): T {
    this.run("BEGIN IMMEDIATE", []);
    try {
      const value = work();
      this.run("COMMIT", []);
      return value;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  #rollBack(): void {
    try {
      this.run("ROLLBACK", []);
    } catch {
      // A full disk or a broken one has rolled it back already.
    }
  }

  #prepareFile(): void {
    // By itself, as this one meets locks: libsql would leave a statement open then.
    this.script("PRAGMA journal_mode = WAL");
    const mode = this.#database.prepare("PRAGMA journal_mode").all<{ journal_mode: string }>([])[0]?.journal_mode;
    if (mode !== "wal") {
      throw new StoreUnavailableError(
        `The database file "${this.#options.location}" stays in the journal mode "${mode}", and Qluster needs "wal". ` +
          "Put it on a local disk; network file systems cannot do it.",
      );
    }
    this.script(`PRAGMA synchronous = ${this.#options.durability === "power" ? "FULL" : "NORMAL"}`);
    // Twice the usual size halves what is written twice, and a checkpoint still takes a moment only.
    this.script("PRAGMA wal_autocheckpoint = 2000");
    // After a rush the -wal file shrinks to this again.
    this.script("PRAGMA journal_size_limit = 67108864");
    this.script("PRAGMA cache_size = -8000");
    this.script("PRAGMA temp_store = MEMORY");
  }

  #blockFor(ms: number): void {
    if (!this.#isClosed) this.script(`PRAGMA busy_timeout = ${Math.max(0, Math.floor(ms))}`);
  }

  /** Kept also after a lock: libsql closes a statement that met one when it runs again, and else at some time only. */
  #statement(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#database.prepare(sql)));
    return statement;
  }

  #lockedTooLong(): Error {
    const { location, retryMs } = this.#options;
    return new StoreUnavailableError(
      `The database file "${location}" was locked by another process for more than ${retryMs} ms; nothing was written. ` +
        "Try again, and look for a long transaction on this file.",
    );
  }
}
