/** One statement, as it is written: `{now}` stands for the store's time, `{message}` for the table `qluster_message`. */
export interface Statement {
  /** Under it, a connection keeps the statement prepared. Unique in this folder. */
  readonly name: string;
  readonly text: string;
  /** Always done in a moment: without an answer soon, its connection counts as lost. */
  readonly isQuick?: boolean;
}

/** The name of what is sent once, and kept prepared nowhere. */
export const unnamed = "";

export type SqlValue = string | number | boolean | null;

/** A statement that is never changed at run time. Parameter 1 is the project's number. */
export function statement(name: string, text: string, options: { readonly isQuick?: boolean } = {}): Statement {
  return { name, text, ...options };
}

/**
 * The database's clock, in milliseconds since 1970: the one place that asks it. It stands still within a statement, so
 * that all rows of one write agree.
 */
export const serverTime = "floor(extract(epoch from statement_timestamp()) * 1000)::bigint";

/**
 * The text with the names of one schema.
 *
 * @param schema - Checked: letters, digits, underscores.
 */
export function rendered(text: string, schema: string, now: string = serverTime): string {
  return text.replace(/\{([a-z_]+)\}/g, (_, word: string) => {
    if (word === "now") return now;
    if (word === "channel") return channelOf(schema);
    return word === "schema" ? `"${schema}"` : `"${schema}".qluster_${word}`;
  });
}

/** Where a schema's changes are told. */
export function channelOf(schema: string): string {
  return `qluster:${schema}`;
}
