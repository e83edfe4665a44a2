const numbered = new Map<string, string>();

/** `?, ?` as `$1, $2`, which is what Postgres wants. */
export function numberedPlaceholders(sql: string): string {
  let text = numbered.get(sql);
  if (text === undefined) {
    let count = 0;
    text = sql.replaceAll("?", () => `$${(count += 1)}`);
    numbered.set(sql, text);
  }
  return text;
}
