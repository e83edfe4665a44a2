import fc from "fast-check";
import { expect, it } from "vitest";
import { numberArray, textArray } from "../../src/backends/postgres/array-literal.js";
import { newTask, stored } from "../../src/testing/tasks.js";
import { connectTo, emptyPlace, openAt } from "../support/postgres.js";

/** Any text but what Postgres cannot keep. */
const text = fc
  .string({ unit: "grapheme" })
  .filter((value) => !value.includes("\0") && Buffer.from(value).toString() === value);

it("writes arrays that the server reads as they were", async () => {
  const client = await connectTo(emptyPlace());

  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(text, fc.constantFrom("", "NULL", "{}", '"', "\\", ",", " a "), fc.constant(null)), {
        maxLength: 8,
      }),
      fc.array(fc.oneof(fc.maxSafeInteger(), fc.constant(null)), { maxLength: 8 }),
      async (texts, numbers) => {
        const sql = "SELECT to_json($1::text[]) AS texts, to_json($2::bigint[]) AS numbers";
        const { rows } = await client.query(sql, [textArray(texts), numberArray(numbers)]);
        expect(rows).toEqual([{ texts, numbers }]);
      },
    ),
  );
});

it("refuses the one character that Postgres cannot keep, and only the task that has it", async () => {
  await using backend = await openAt(emptyPlace());
  const bad = newTask("bad", { name: "a\0b" });

  await expect(backend.store.submit([bad])).rejects.toMatchObject({ code: "QLUSTER_OPTION" });
  await backend.store.submit([newTask("good")]);

  expect((await stored(backend, "good")).state).toBe("queued");
});
