import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hmac, hmacKey } from "./hmac.js";

const bytes = fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array));
const unit = fc.constantFrom("a", "\n", "é", "€", "\u{1F600}");
const text = fc.oneof(
  fc.string({ unit }),
  fc.tuple(unit, fc.integer({ min: 5_000, max: 6_000 })).map(([letter, length]) => letter.repeat(length)),
);

describe("hmac", () => {
  it("is HMAC-SHA256, for every key, prefix and length of text", () => {
    fc.assert(
      fc.property(bytes, bytes, text, (raw, prefix, message) => {
        const expected = createHmac("sha256", raw).update(prefix).update(message).digest("base64url");

        expect(hmac(hmacKey(raw), prefix, message)).toBe(expected);
      }),
    );
  });

  it("leaves nothing of a longer text behind for a shorter one", () => {
    const key = hmacKey(Buffer.from("key"));
    const prefix = Buffer.from("prefix");
    const alone = hmac(key, prefix, "short");

    hmac(key, prefix, "a much longer text ".repeat(100));

    expect(hmac(key, prefix, "short")).toBe(alone);
  });
});
