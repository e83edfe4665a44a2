import fc from "fast-check";
import { expect, it } from "vitest";
import { unpacked } from "./unpacked.js";

it("takes texts apart as they were put together, whatever they hold", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme" })), (texts) => {
      const lengths = texts.map((text) => Buffer.byteLength(text)).join(";");

      expect(unpacked(texts.join(""), lengths)).toEqual(texts);
    }),
  );
});
