import type { SqlValue } from "./driver.js";

/** Sizes in which rows are handed to one statement. Each is a statement of its own to prepare; more rows gain nothing. */
const sizes = [32, 8, 1] as const;

/**
 * One statement for many rows, as `VALUES (?, ?), (?, ?) …`. That is what both drivers are fastest with: a call costs
 * libsql 4 µs, and `node:sqlite` needs quadratic time for numbered parameters, so these have no numbers.
 */
export class RowStatement {
  readonly #statements: ReadonlyMap<number, string>;

  /**
   * @param width - Parameters in each row.
   * @param sql - Makes the statement from the rows.
   */
  constructor(width: number, sql: (rows: string) => string) {
    const row = `(${Array.from({ length: width }, () => "?").join(", ")})`;
    this.#statements = new Map(sizes.map((size) => [size, sql(Array.from({ length: size }, () => row).join(", "))]));
  }

  /**
   * Calls `run` with statements for all `items`, and adds up what it returns.
   *
   * @param push - Appends the parameters of one item.
   * @param last - Parameters of the statement after those of the rows.
   */
  run<T>(
    items: readonly T[],
    push: (values: SqlValue[], item: T) => void,
    last: readonly SqlValue[],
    run: (sql: string, parameters: readonly SqlValue[]) => number,
  ): number {
    let changes = 0;
    for (const { sql, parameters } of this.statements(items, push, last)) changes += run(sql, parameters);
    return changes;
  }

  /** The same statements one after another, for whoever cannot run them right here. */
  *statements<T>(
    items: readonly T[],
    push: (values: SqlValue[], item: T) => void,
    last: readonly SqlValue[],
  ): Generator<{ readonly sql: string; readonly parameters: SqlValue[] }> {
    let at = 0;
    for (const size of sizes) {
      const sql = this.#statements.get(size) ?? "";
      for (; at + size <= items.length; at += size) {
        const parameters: SqlValue[] = [];
        for (const item of items.slice(at, at + size)) push(parameters, item);
        parameters.push(...last);
        yield { sql, parameters };
      }
    }
  }
}
