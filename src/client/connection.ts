import type { Backend } from "../contracts/backend.js";
import { ClosedError } from "../errors.js";

/** The backend of one client: opened by the first verb that needs it, closed once. */
export class Connection {
  readonly #open: () => Promise<Backend>;
  #opening: Promise<Backend> | undefined;
  #opened: Backend | undefined;
  #refusing = false;
  #closed = false;

  constructor(open: () => Promise<Backend>) {
    this.#open = open;
  }

  /** @throws {ClosedError} after {@link Connection.refuse} or {@link Connection.close}. */
  check(): void {
    if (this.#refusing || this.#closed) throw new ClosedError();
  }

  /** The backend. An attempt to open that failed is not the last one: the next call tries again. */
  backend(): Promise<Backend> {
    this.check();
    return this.#backend();
  }

  /** The backend, if it is open already. */
  get opened(): Backend | undefined {
    return this.#opened;
  }

  /** Refuses further calls. What is under way may still use {@link Connection.draining}. */
  refuse(): void {
    this.#refusing = true;
  }

  /**
   * The backend for what was accepted before {@link Connection.refuse}.
   *
   * @throws {ClosedError} after {@link Connection.close}: nobody would close it a second time.
   */
  draining(): Promise<Backend> {
    if (this.#closed) throw new ClosedError();
    return this.#backend();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const opening = this.#opening;
    this.#opening = undefined;
    this.#opened = undefined;
    // Whoever waited for a backend that could not be opened has been told.
    const backend = await opening?.catch(() => undefined);
    await backend?.[Symbol.asyncDispose]();
  }

  #backend(): Promise<Backend> {
    if (this.#opening !== undefined) return this.#opening;
    const opening = this.#open();
    this.#opening = opening;
    void this.#remember(opening);
    return opening;
  }

  async #remember(opening: Promise<Backend>): Promise<void> {
    try {
      const backend = await opening;
      if (this.#opening === opening) this.#opened = backend;
    } catch {
      if (this.#opening === opening) this.#opening = undefined;
    }
  }
}
