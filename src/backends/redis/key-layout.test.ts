import fc from "fast-check";
import { expect, it } from "vitest";
import { idOfMember, projectPrefix, rankOf } from "./key-layout.js";

/** What a Redis Cluster hashes of a key: the text between the first `{` and the first `}` after it. */
function hashedPart(key: string): string {
  const start = key.indexOf("{");
  return key.slice(start + 1, key.indexOf("}", start));
}

it("puts every key of a project into one slot, whatever its name", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: "grapheme" }), fc.string(), (project, key) => {
      const prefix = projectPrefix(project);

      expect(hashedPart(`${prefix}${key}`)).toBe(hashedPart(prefix));
      expect(prefix).toBe(`{${hashedPart(prefix)}}:`);
    }),
  );
});

it("never gives two projects the same keys (P260, P330)", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (one, other) => {
      expect(projectPrefix(one) === projectPrefix(other)).toBe(one === other);
    }),
  );
  expect(projectPrefix("shop")).toBe("{qluster:shop}:");
  expect(projectPrefix("a}b")).not.toBe(projectPrefix("a%7Db"));
});

it("never gives the slot of one queue to another, or to a project", () => {
  const names = fc.oneof(fc.string(), fc.stringMatching(/^[ab%:]{0,5}$/));
  fc.assert(
    fc.property(names, names, names, names, (project, queue, other, another) => {
      const prefix = projectPrefix(project, queue);

      expect(prefix === projectPrefix(other, another)).toBe(project === other && queue === another);
      expect(prefix).not.toBe(projectPrefix(other));
      expect(prefix).toBe(`{${hashedPart(prefix)}}:`);
    }),
  );
  expect(projectPrefix("shop", "media")).toBe("{qluster:shop%:media}:");
});

it("ranks higher priorities first, and fits two hexadecimal digits", () => {
  expect([100, 1, 0, -1, -100].map(rankOf)).toEqual([0, 99, 100, 101, 200]);
});

it("finds the id behind the place in line", () => {
  expect(idOfMember(`0000000000ff6400000001${"ab".repeat(16)}`)).toBe("ab".repeat(16));
});
