/** A function of an earlier version, whose text is frozen, written anew under its name with some of its lines changed. */
export function anew(
  text: string,
  name: string,
  changes: readonly (readonly [before: string, after: string])[],
): string {
  const from = text.search(new RegExp(`CREATE (OR REPLACE )?FUNCTION \\{${name}\\}`));
  const whole = text
    .slice(from, text.indexOf("END $$;", from))
    .replace(/^CREATE FUNCTION/, "CREATE OR REPLACE FUNCTION");
  return changes.reduce((sql, [before, after]) => {
    if (!sql.includes(before)) throw new Error(`The function ${name} has no line "${before}".`);
    return sql.replace(before, () => after);
  }, `${whole}END $$;`);
}
