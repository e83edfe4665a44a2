import fc from "fast-check";
import { expect, it } from "vitest";
import { numberArray, textArray } from "../../src/backends/postgres/array-literal.js";
import type { NewTask } from "../../src/contracts/index.js";
import { joinedArray, joinedTexts } from "../../src/backends/postgres/joined-texts.js";
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

it("joins texts so that the server reads them as they were", async () => {
  const client = await connectTo(emptyPlace());
  const any = fc.oneof(text, fc.constantFrom("", "NULL", "{}", '"', "\\", "\n", " a ", "\u0002a"), fc.constant(null));

  await fc.assert(
    fc.asyncProperty(fc.array(any, { minLength: 1, maxLength: 8 }), async (texts) => {
      const joined = joinedTexts(texts);
      fc.pre(joined !== undefined);
      const { rows } = await client.query(`SELECT to_json(${joinedArray(1)}) AS texts`, [joined]);
      expect(rows).toEqual([{ texts: joined === null ? null : texts }]);
    }),
  );
});

it("keeps every text of a task, and tells it from none", async () => {
  await using backend = await openAt(emptyPlace());
  const odd = ["", "a\u0001b", "\u0002", '"', "\\", "NULL", "{}", "two\nlines", "ä€𝄞", null];
  const task = (name: string, one: string | null): NewTask =>
    newTask(name, { name: one, group: one, envelope: `${name}: ${one}` });

  const tasks = odd.flatMap((one, index) => [task(`alone ${index}`, one), task(`with others ${index}`, one)]);
  for (const one of tasks.filter((_, index) => index % 2 === 0)) await backend.store.submit([one]);
  await backend.store.submit(tasks.filter((_, index) => index % 2 === 1));
  await backend.store.submit(odd.slice(3).map((one, index) => task(`usual ${index}`, one)));

  for (const { id, name, group, envelope } of tasks) {
    expect(await backend.store.get([id])).toMatchObject([{ name, group, envelope }]);
  }
  for (const [index, one] of odd.slice(3).entries()) {
    expect(await stored(backend, `usual ${index}`)).toMatchObject({ name: one, group: one });
  }
});

it("refuses the one character that Postgres cannot keep, and only the task that has it", async () => {
  await using backend = await openAt(emptyPlace());
  const bad = newTask("bad", { name: "a\0b" });

  await expect(backend.store.submit([bad])).rejects.toMatchObject({ code: "QLUSTER_OPTION" });
  await backend.store.submit([newTask("good")]);

  expect((await stored(backend, "good")).state).toBe("queued");
});
