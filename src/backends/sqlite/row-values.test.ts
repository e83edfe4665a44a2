import fc from "fast-check";
import { expect, it } from "vitest";
import type { SqlValue } from "./driver.js";
import { RowStatement } from "./row-values.js";

it("hands every item to exactly one statement, in order, with as many parameters as the statement has", () => {
  const statement = new RowStatement(2, (rows) => `VALUES ${rows} OF ?`);

  fc.assert(
    fc.property(fc.array(fc.integer(), { maxLength: 200 }), (items) => {
      const seen: SqlValue[] = [];

      const changes = statement.run(items, push, ["last"], (sql, values) => {
        expect(values).toHaveLength(sql.split("?").length - 1);
        expect(values.at(-1)).toBe("last");
        seen.push(...values.slice(0, -1));
        return (values.length - 1) / 2;
      });

      expect(changes).toBe(items.length);
      expect(seen).toEqual(items.flatMap((item) => [item, `t${item}`]));
    }),
  );
});

function push(values: SqlValue[], item: number): void {
  values.push(item, `t${item}`);
}
