/** Something done in a transaction. `run` runs a statement of the application in it. */
export type Work = (tx: object, run: (sql: string) => Promise<void>, nested?: Nested) => Promise<void>;

/** A savepoint, which is rolled back when `work` rejects, as the transaction around it is not. */
type Nested = (work: Work) => Promise<unknown>;

/** One library, connected to a database. */
export interface Opened {
  /** The pool, data source or handle: no transaction. */
  readonly database: object;
  /** Commits when `work` resolves, and rolls back when it rejects. */
  readonly transaction: (work: Work) => Promise<unknown>;
  readonly close: () => Promise<unknown>;
}

export interface Library {
  readonly name: string;
  /** On SQLite: the class that brings the copy of SQLite into the process. */
  readonly sqlite?: (new (file: string) => object) | undefined;
  /** @param place - The file, or the address of the database. */
  readonly open: (place: string) => Promise<Opened>;
}
