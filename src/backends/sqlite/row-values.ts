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
    for (let at = 0; at < items.length;) {
      const end = at + sizeFor(items.length - at);
      changes += run(this.#sql(end - at), parametersOf(items, at, end, push, last));
      at = end;
    }
    return changes;
  }

  /** The same statements one after another, for whoever cannot run them right here. */
  *statements<T>(
    items: readonly T[],
    push: (values: SqlValue[], item: T) => void,
    last: readonly SqlValue[],
  ): Generator<{ readonly sql: string; readonly parameters: SqlValue[] }> {
    for (let at = 0; at < items.length;) {
      const end = at + sizeFor(items.length - at);
      yield { sql: this.#sql(end - at), parameters: parametersOf(items, at, end, push, last) };
      at = end;
    }
  }

  #sql(rows: number): string {
    return this.#statements.get(rows) ?? "";
  }
}

function sizeFor(left: number): number {
  return sizes.find((size) => size <= left) ?? 1;
}

function parametersOf<T>(
  items: readonly T[],
  from: number,
  to: number,
  push: (values: SqlValue[], item: T) => void,
  last: readonly SqlValue[],
): SqlValue[] {
  const parameters: SqlValue[] = [];
  for (let at = from; at < to; at++) push(parameters, items[at]!);
  parameters.push(...last);
  return parameters;
}
