import { mkdirSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute } from "node:path";
import { ConfigError, StoreReplacedError, StoreUnavailableError } from "../../errors.js";

/** A producer that does nothing but write looks so often, in milliseconds: a look at each write would cost more than it saves. */
const lookMs = 1_000;

/** The database as a file among files: where it is, and whether it is still the one that was opened. */
export class DatabaseFile {
  readonly path: string;
  readonly #device: bigint;
  readonly #inode: bigint;
  #lookAt = -Infinity;

  /** Call once the file exists. */
  constructor(path: string) {
    const { dev, ino } = statSync(path, { bigint: true });
    // SQLite puts its -wal file beside the real file, not beside a link to it.
    this.path = realpathSync(path);
    this.#device = dev;
    this.#inode = ino;
  }

  /** Whether a path leads to this very file, by whatever links. */
  isAt(path: string): boolean {
    const found = path === "" ? undefined : statSync(path, { bigint: true, throwIfNoEntry: false });
    return found !== undefined && found.ino === this.#inode && found.dev === this.#device;
  }

  /** {@link DatabaseFile.assertInPlace}, once a second at most. A look that failed is repeated at once. */
  assertInPlaceSometimes(monotonicMs: number): void {
    if (monotonicMs < this.#lookAt) return;
    this.assertInPlace();
    this.#lookAt = monotonicMs + lookMs;
  }

  /**
   * Notices a file that was deleted or replaced under an open connection: what is written then goes to a ghost.
   *
   * @throws {StoreReplacedError} when it was.
   * @throws {StoreUnavailableError} when its whole folder is away, which may come back.
   */
  assertInPlace(): void {
    let found;
    try {
      found = statSync(this.path, { bigint: true, throwIfNoEntry: false });
      if (found === undefined) statSync(dirname(this.path));
    } catch (cause) {
      throw new StoreUnavailableError(`The folder of the database file "${this.path}" cannot be reached.`, { cause });
    }
    if (found === undefined) throw new StoreReplacedError(this.path, "deleted");
    if (found.ino !== this.#inode || found.dev !== this.#device) throw new StoreReplacedError(this.path, "replaced");
  }
}

/** @throws {ConfigError} when several processes could not share what `location` names. */
export function assertFileLocation(location: string): void {
  if (location === "" || location.startsWith(":memory:")) {
    throw new ConfigError([
      `database "sqlite:${location}" lives in the memory of one process, and no worker would see its tasks. ` +
        'Give a file, such as "sqlite:data/qluster.db", or use "memory:" in tests.',
    ]);
  }
  if (!isAbsolute(location)) {
    throw new ConfigError([`database "sqlite:${location}" must be an absolute path by now; hand in the resolved one.`]);
  }
}

/** @throws {StoreUnavailableError} when it cannot be created. */
export function createFolderOf(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (cause) {
    throw new StoreUnavailableError(`The folder for the database file "${path}" cannot be created.`, { cause });
  }
}
