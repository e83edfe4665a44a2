import { createHash } from "node:crypto";
import { inspect } from "node:util";
import { deflateRawSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigError, EnvelopeError, TooLargeError, UnencodableError } from "../errors.js";
import { openResult, openTask, sealResult, sealTask } from "./envelope.js";
import type { SealOptions } from "./envelope.js";
import type { TaskHeader } from "./task-header.js";
import { keyring } from "./keyring.js";
import { sign } from "./signature.js";

const id = "019a0000000070008000000000000001";
const header: TaskHeader = { v: 1, id, func: "core.tasks.moderateReview", group: "g1" };
const shop = keyring("shop", ["correct horse battery staple"]);
const plain: SealOptions = { compress: false, encrypt: false, maxBytes: 262_144 };
const modes: [string, SealOptions][] = [
  ["plain", plain],
  ["compressed", { ...plain, compress: true }],
  ["encrypted", { ...plain, encrypt: true }],
  ["compressed and encrypted", { ...plain, compress: true, encrypt: true }],
];
const args = [42, { text: "good ".repeat(60) }, new Date(5)];

const nastyText = fc.string({
  unit: fc.constantFrom("\n", "\r", "\0", '"', "\\", "a", "é", "\u2028", "\uD800", "\u{1F600}"),
});
const failure = (reason: string): unknown => expect.objectContaining({ constructor: EnvelopeError, reason });
const lines = (envelope: string): [string, string, string] => envelope.split("\n") as [string, string, string];

describe.each(modes)("a task, %s", (_, options) => {
  it("comes out as it went in", () => {
    expect(openTask(shop, "default", sealTask(shop, "default", header, args, options), plain)).toEqual({
      header,
      args,
    });
  });

  it("is three lines of text, whatever is in it", () => {
    fc.assert(
      fc.property(nastyText, nastyText, (name, text) => {
        const sealed = sealTask(shop, "q\n", { ...header, name, group: text }, [text, [name]], options);

        expect(sealed.split("\n")).toHaveLength(3);
        expect(openTask(shop, "q\n", sealed, plain)).toEqual({
          header: { ...header, name, group: text },
          args: [text, [name]],
        });
      }),
    );
  });

  it("carries any arguments", () => {
    const anything = fc.array(fc.anything({ withBigInt: true, withMap: true, withSet: true }));

    fc.assert(
      fc.property(anything, (values) => {
        const sealed = sealTask(shop, "default", header, values, options);

        expect(inspect(openTask(shop, "default", sealed, plain).args)).toBe(inspect(values));
      }),
    );
  });

  it("opens in no other project or queue, and with no other secret (P272, P281)", () => {
    const sealed = sealTask(shop, "default", header, args, options);

    const open = (project: string, secret: string, queue: string) => () =>
      openTask(keyring(project, [secret]), queue, sealed, plain);

    expect(open("shop", "correct horse battery staple", "media")).toThrow(failure("signature"));
    expect(open("blog", "correct horse battery staple", "default")).toThrow(failure("signature"));
    expect(open("shop", "wrong", "default")).toThrow(failure("signature"));
    expect(open("shop", "wrong", "default")).toThrow(
      `The signature of message ${id} (core.tasks.moderateReview) does not fit project "shop" and queue "default"`,
    );
    expect(open("shop", "wrong", "default")).toThrow("Check that `name` and `secret` are the same");
  });

  it("opens with any of several secrets, and is sealed with the first (P057)", () => {
    const sealed = sealTask(shop, "default", header, args, options);
    const rotated = keyring("shop", ["a new one", ...shop.secrets]);

    expect(openTask(rotated, "default", sealed, plain).args).toEqual(args);

    const newer = sealTask(rotated, "default", header, args, options);
    expect(openTask(keyring("shop", ["a new one"]), "default", newer, plain).args).toEqual(args);
    expect(() => openTask(shop, "default", newer, plain)).toThrow(failure("signature"));
  });

  it("does not open with a part exchanged for that of another message", () => {
    const one = lines(sealTask(shop, "default", header, args, options));
    const other = lines(sealTask(shop, "default", { ...header, id: "b" }, ["other"], options));

    for (const spliced of [
      [other[0], one[1], one[2]],
      [one[0], other[1], one[2]],
      [one[0], one[1], other[2]],
      [one[1], one[0], one[2]],
      [one[0], one[1], ""],
      [one[0], one[1], one[2], ""],
      [one[0], one[1], `${one[2]} `],
      [one[0], "", one[1], one[2]],
    ]) {
      expect(() => openTask(shop, "default", spliced.join("\n"), plain)).toThrow(EnvelopeError);
    }
  });
});

describe("the body of a message", () => {
  it("is JSON, readable in SQL", () => {
    expect(lines(sealTask(shop, "default", header, [1, { a: "b" }], plain))[1]).toBe('[1,{"a":"b"}]');
  });

  it("is compressed only where that saves room (P275)", () => {
    const options = { ...plain, compress: true };
    const noise = ["a", "b", "c"].map((text) => createHash("sha512").update(text).digest("base64"));

    const large = lines(sealTask(shop, "default", header, ["word ".repeat(200)], options))[1];
    const small = lines(sealTask(shop, "default", header, ["word"], options))[1];
    const dense = lines(sealTask(shop, "default", header, noise, options))[1];

    expect(large.length).toBeLessThan(100);
    expect(small).toBe('["word"]');
    expect(dense).toBe(JSON.stringify(noise));
  });

  it("shows nothing when it is encrypted, and differs with the task's id (P280)", () => {
    const options = { ...plain, encrypt: true };
    const seal = (taskId: string): string =>
      lines(sealTask(shop, "default", { ...header, id: taskId }, ["hidden"], options))[1];

    expect(seal("a")).not.toContain("hidden");
    expect(seal("a").slice(0, 20)).not.toBe(seal("b").slice(0, 20));
    expect(seal("a")).toBe(seal("a"));
  });

  it("inflates only up to the limit, however small it looks (P279)", () => {
    const bomb = deflateRawSync(JSON.stringify(["0".repeat(50_000_000)])).toString("base64url");
    const content = `${JSON.stringify(header)}\nz.${bomb}`;
    const sealed = `${content}\n${sign(shop, "task", "default", content)}`;

    expect(() => openTask(shop, "default", sealed, plain)).toThrow(failure("unreadable"));
    expect(() => openTask(shop, "default", sealed, plain)).toThrow("was stopped at 262144 bytes. Raise `maxMessage`");
  });

  it.each<[string, string]>([
    ["is no JSON", "[1,"],
    ["is no list", '{"a":1}'],
    ["was not deflated", "z.AAAA"],
    ["was not encrypted", "e.AAAA"],
    ["was encrypted with another key", `e.${"A".repeat(80)}`],
    ["is empty", ""],
    [
      "needs a codec that is missing",
      '{"json":[{"codec":"shop.X","json":1}],"meta":{"values":{"0":[["custom","codec"]]},"v":1}}',
    ],
  ])("is set aside when it is rightly signed and %s (P278)", (_, body) => {
    const content = `${JSON.stringify(header)}\n${body}`;
    const sealed = `${content}\n${sign(shop, "task", "default", content)}`;

    expect(() => openTask(shop, "default", sealed, plain)).toThrow(failure("unreadable"));
  });
});

describe("the header of a message", () => {
  it("of a newer version is said to be newer, before its signature is looked at", () => {
    const newer = `${JSON.stringify({ ...header, v: 2, extra: {} })}\n{}\nanother kind of signature`;

    expect(() => openTask(shop, "default", newer, plain)).toThrow(failure("newer"));
    expect(() => openTask(shop, "default", newer, plain)).toThrow("has version 2; this code reads version 1.");
  });

  it.each(["", "\n", "\n\n", "{}\n[]\nx", "not a message", "{\n[]\nx"])("makes %j unreadable (P278)", (envelope) => {
    expect(() => openTask(shop, "default", envelope, plain)).toThrow(failure("unreadable"));
  });

  it("is covered by the signature to the letter, also letters that UTF-8 has no bytes for", () => {
    const sealed = sealTask(shop, "default", { ...header, name: "\uFFFD" }, [], plain);

    expect(() => openTask(shop, "default", sealed.replace("\uFFFD", "\uD800"), plain)).toThrow(failure("signature"));
  });
});

describe("what is too large", () => {
  const options = { ...plain, maxBytes: 1_000 };

  it("is refused with both sizes and the part that takes most", () => {
    const tooLarge = [1, { title: "x", pages: ["short", "long ".repeat(300)] }];

    const seal = (): string => sealTask(shop, "default", header, tooLarge, options);

    expect(seal).toThrow(expect.objectContaining({ constructor: TooLargeError, bytes: 1_678, maxBytes: 1_000 }));
    expect(seal).toThrow(
      "The message takes 1678 bytes; the limit (option `maxMessage`) is 1000. Most of it is args[1].pages[1] with 1502 bytes.",
    );
  });

  it("is measured in bytes, not characters", () => {
    expect(() => sealTask(shop, "default", header, ["x".repeat(450)], options)).not.toThrow();
    expect(() => sealTask(shop, "default", header, ["ü".repeat(450)], options)).toThrow(TooLargeError);
  });

  it("is refused also when it would be small compressed, because no worker would inflate it", () => {
    const compressed = { ...options, compress: true };

    expect(() => sealTask(shop, "default", header, ["a".repeat(1_001)], compressed)).toThrow(TooLargeError);
  });

  it("is refused as a result too", () => {
    expect(() => sealResult(shop, id, { rows: Array.from("many".repeat(500)) }, options)).toThrow(
      "The result takes 8054 bytes; the limit (option `maxResult`) is 1000. Most of it is result.rows with 8001 bytes.",
    );
  });

  it("exactly at the limit is let through, and opens with the same limit", () => {
    const size = sealTask(shop, "default", header, ["x".repeat(500)], plain).length;
    const limit = { ...plain, maxBytes: size };

    expect(
      openTask(shop, "default", sealTask(shop, "default", header, ["x".repeat(500)], limit), limit).args,
    ).toHaveLength(1);
    expect(() => sealTask(shop, "default", header, ["x".repeat(501)], limit)).toThrow(TooLargeError);
  });
});

describe("a result", () => {
  it.each(modes)("comes out as it went in, %s", (_, options) => {
    for (const value of [undefined, null, 0, "", [], { at: new Date(1) }, "long ".repeat(100), "z.text", "e.text"]) {
      expect(openResult(shop, id, sealResult(shop, id, value, options), plain)).toEqual(value);
    }
  });

  it("opens for no other task, project or secret, and is no task", () => {
    const sealed = sealResult(shop, id, [1], plain);

    expect(() => openResult(shop, "other", sealed, plain)).toThrow(failure("signature"));
    expect(() => openResult(keyring("blog", shop.secrets), id, sealed, plain)).toThrow(failure("signature"));
    expect(() => openResult(keyring("shop", ["wrong"]), id, sealed, plain)).toThrow(failure("signature"));
    expect(() => openTask(shop, "", `${JSON.stringify(header)}\n${sealed}`, plain)).toThrow(failure("signature"));
    expect(() => openResult(shop, id, "", plain)).toThrow(failure("unreadable"));
    expect(() => openResult(shop, id, `${sealed}\n`, plain)).toThrow(failure("signature"));
  });

  it("that cannot be carried is refused with its path (P114)", () => {
    expect(() => sealResult(shop, id, { run: setTimeout }, plain)).toThrow(UnencodableError);
    expect(() => sealResult(shop, id, { run: setTimeout }, plain)).toThrow("result.run is the function setTimeout,");
  });
});

describe("messages of earlier versions", () => {
  const body = '{"tagged":[42,{"$":"Date","v":"1970-01-01T00:00:00.000Z"}]}';
  const encrypted =
    "e.p8pdL5zivbTGReS3_k1QirBivGTLPSE0pntWhh6Bht6XvFwQFIJ8c6OV1Ze0JHS3DRl3ZYa_bAgJxkPpxLpAdK5ntK-qnwRAlqO93WFrCuQ_FBTNan_w";
  const deflated = "z.q1YqSUxPT01Rsoo2MdJRSs_PT1EYdISSTrWSipKVkktiSaqSjlKZkpWSoaW5ga6Boa6BYYiBgRUY6RkYGEQp1cbWAgA";

  it.each<[string, string, string, unknown[]]>([
    ["plain", body, "y_tmLpX_YFJq8oG62q1vuATkP1UrQJ1iYP2HBBgfY5o", [42, new Date(0)]],
    ["encrypted", encrypted, "RubfN9ip4PDcPaqZ_xXvPrB2NY6_e3436wAri5Y1r0A", [42, new Date(0)]],
    ["compressed", deflated, "UuYV177Yt4kPrx8A6NsUB4stCB2OUjraEofE1XlLZyk", [42, "good ".repeat(30), new Date(0)]],
  ])("still open: version 1, %s (P274)", (_, text, signature, expected) => {
    const sealed = `${JSON.stringify(header)}\n${text}\n${signature}`;

    expect(openTask(shop, "default", sealed, plain).args).toEqual(expected);
  });

  it("still open: a result of version 1", () => {
    const sealed = '{"ok":true}\nuF_4SpvGbqUxvoz3pV6m5-fzzApLBZmIFUnIImoNqs4';

    expect(openResult(shop, id, sealed, plain)).toEqual({ ok: true });
  });
});

describe("keyring", () => {
  it.each([[[]], [[""]], [["good", ""]]])("refuses the secrets %j", (secrets) => {
    expect(() => keyring("shop", secrets)).toThrow(ConfigError);
    expect(() => keyring("shop", secrets)).toThrow("`secret` is empty. Set it to a long random text");
  });

  it("takes a secret of any length, and any number of queues", () => {
    const keys = keyring("shop", ["s".repeat(10_000)]);

    for (let i = 0; i < 3_000; i++) {
      const sealed = sealTask(keys, `queue ${i}`, header, [i], plain);
      expect(openTask(keys, `queue ${i}`, sealed, plain).args).toEqual([i]);
    }
    expect(keys.contexts.size).toBeLessThanOrEqual(1_000);
  });
});
