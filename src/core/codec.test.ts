import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { inspect } from "node:util";
import vm from "node:vm";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidCodecError, UndecodableError, UnencodableError } from "../errors.js";
import { decode, encode, registerCodec } from "./codec.js";
import { nativeCodecs } from "./native-codecs.js";
import { maxDepth } from "./plain-json.js";

const carry = (value: unknown): unknown => decode(encode(value, "args"));

/** Equal in every way that a task could see: types, order, -0, own keys. */
function expectUnchanged(value: unknown): void {
  const text = encode(value, "args");
  const back = decode(text);

  assert.deepEqual(back, value);
  assert.equal(show(back), show(value));
  expect(text).not.toContain("\n");
}

const show = (value: unknown): string =>
  inspect(value, { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity });

describe("values that are carried unchanged (P096)", () => {
  it.each<[string, unknown]>([
    ["null", null],
    ["text with line breaks", "a\nb\r\u2028\0"],
    ["half a character", "\uD800 and \uDC00"],
    ["an empty list", []],
    ["undefined", undefined],
    ["undefined in a list", [undefined]],
    ["undefined in an object", { a: undefined, b: 1 }],
    ["NaN", Number.NaN],
    ["Infinity", [Infinity, -Infinity]],
    ["negative zero", [-0, 0]],
    ["a Date", new Date("2026-11-22T12:00:00.123Z")],
    ["a Date before the year 0", new Date(-8.64e15)],
    ["a BigInt", -(2n ** 70n)],
    [
      "a Map",
      new Map<unknown, unknown>([
        ["a", 1],
        [{ id: 1 }, new Date(5)],
        [new Date(6), new Set([1n])],
      ]),
    ],
    ["an empty Map", new Map()],
    ["a Set", new Set<unknown>(["z", "a", new Date(7), { b: [new Date(8)] }, Number.NaN])],
    ["a RegExp", /a\/b[\n/]+/giu],
    ["a URL", new URL("https://example.com/a?b=ü#c")],
    ["a Buffer", Buffer.from("bytes \0 \xff", "latin1")],
    ["a Uint8Array", new Uint8Array([0, 1, 255])],
    ["a Float64Array with NaN and -0", new Float64Array([Number.NaN, -0, Infinity, 1.5])],
    ["a BigInt64Array", new BigInt64Array([-1n, 2n ** 62n])],
    ["part of a larger buffer", new Uint16Array(new Uint16Array([1, 2, 3, 4]).buffer, 2, 2)],
    ["an ArrayBuffer", new Uint8Array([1, 2, 3]).buffer],
    ["a DataView", new DataView(new Uint8Array([1, 2, 3]).buffer)],
    ["keys that look like paths", { "a.b": new Date(1), "a\\.b": 1n, "": { "": undefined }, "0": new Set([1]) }],
    ["keys that pollute prototypes", JSON.parse('{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}}}')],
    ["such keys beside a Date", Object.assign(JSON.parse('{"__proto__":{"x":1},"prototype":2}'), { d: new Date(1) })],
    ["a value that looks encoded", { tagged: [1] }],
    ["one that looks encoded and has a tag in it", { tagged: { $: "Date", v: "1970-01-01T00:00:00.000Z" } }],
    ["one that looks encoded and is not plain", { tagged: new Date(1) }],
    ["one that looks like a tag", { $: "bytes", v: ["Buffer", "aGk="] }],
    ["one that looks like a tag and is not plain", { $: "bytes", v: 1n, $$: { $: undefined } }],
  ])("%s", (_, value) => {
    expectUnchanged(value);
    expectUnchanged([{ nested: [value, 1] }]);
  });

  it("plain JSON stays exactly what JSON.stringify writes, readable in SQL", () => {
    const value = [42, { name: "Ann", tags: ["a", null], ok: true, price: 1.5e-7 }];

    expect(encode(value, "args")).toBe(JSON.stringify(value));
  });

  it("what is no plain JSON stays readable too", () => {
    const value = [42, { at: new Date(0), big: 7n }];

    expect(encode(value, "args")).toBe(
      '{"tagged":[42,{"at":{"$":"Date","v":"1970-01-01T00:00:00.000Z"},"big":{"$":"bigint","v":"7"}}]}',
    );
  });

  it("any composition of them", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(show(carry(value))).toBe(show(value));
      }),
      { numRuns: 1_000 },
    );
  });

  it("any JSON, without a detour", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!show(value).includes("-0"));
        expectUnchanged(value);
        expect(encode([value], "args")).toBe(JSON.stringify([value]));
      }),
    );
  });

  it("an object without a prototype, as a plain one", () => {
    const bare: object = Object.assign(Object.create(null) as object, { a: 1, at: new Date(2) });

    expect(carry(bare)).toEqual({ a: 1, at: new Date(2) });
  });

  it("values of another realm, such as a test runner's", () => {
    const foreign: unknown = vm.runInNewContext(
      "({ plain: { a: [1] }, at: new Date(5), map: new Map([[1, new Set([2])]]), re: /x/g, e: new RangeError('no') })",
    );

    const back = carry([foreign, 1n]) as [Record<string, unknown>, bigint];

    expect(back[0]).toMatchObject({ plain: { a: [1] }, at: new Date(5), map: new Map([[1, new Set([2])]]), re: /x/g });
    expect(back[0]["e"]).toBeInstanceOf(RangeError);
  });

  it("what occurs twice comes back as two copies, in its place", () => {
    const shared = { at: new Date(1) };
    const back = carry({ set: new Set([shared, { at: new Date(2) }]), again: shared }) as {
      set: Set<unknown>;
      again: unknown;
    };

    expect([...back.set]).toEqual([{ at: new Date(1) }, { at: new Date(2) }]);
    expect(back.again).toEqual(shared);
  });
});

describe("errors as values", () => {
  it("keep name, message, stack, cause and their own properties", () => {
    const error = Object.assign(new RangeError("too far", { cause: new Error("root") }), {
      code: "E_FAR",
      at: new Date(1),
    });

    const back = carry(error) as RangeError & { code: string; at: Date };

    expect(back).toBeInstanceOf(RangeError);
    expect(back).toMatchObject({
      name: "RangeError",
      message: "too far",
      stack: error.stack,
      code: "E_FAR",
      at: error.at,
    });
    expect((back.cause as Error).message).toBe("root");
    expect(Object.keys(back)).toEqual(["code", "at"]);
    expect(Object.hasOwn(carry(new Error("x")) as object, "cause")).toBe(false);
  });

  it("come back as the built-in class below, with the name of their own", () => {
    class PaymentError extends TypeError {
      override name = "PaymentError";
    }

    const back = carry(new PaymentError("declined")) as Error;

    expect(back).toBeInstanceOf(Error);
    expect(String(back)).toBe("PaymentError: declined");
  });

  it("keep the errors that they are made of", () => {
    const back = carry(new AggregateError([new TypeError("a"), 5n], "both")) as AggregateError;

    expect(back).toBeInstanceOf(AggregateError);
    expect(back.errors).toEqual([new TypeError("a"), 5n]);
  });

  it("survive odd values in their fields", () => {
    const back = carry(Object.assign(new Error("x"), { name: 5, message: {}, stack: null })) as Error;

    expect(back).toMatchObject({ name: "5", message: "[object Object]" });
  });
});

describe("values that are refused, with their path (P096)", () => {
  class Socket extends EventEmitter {}
  class Opinion {
    text = "fine";
  }
  const cyclic: Record<string, unknown> = { list: [] };
  (cyclic["list"] as unknown[]).push({ back: cyclic });
  const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);

  it.each<[string, unknown, string]>([
    [
      "a class instance",
      [{ user: { socket: new Socket() } }],
      "args[0].user.socket is a Socket, which a task cannot carry.",
    ],
    ["its advice", [new Opinion()], "or register a codec for Opinion with registerCodec()."],
    ["the right article", [new EventEmitter()], "args[0] is an EventEmitter,"],
    ["a function", [1, { done: fail }], "args[1].done is the function fail,"],
    ["a nameless function", [() => 1], "args[0] is a function,"],
    ["a class", [Opinion], "args[0] is the class Opinion,"],
    ["a symbol", [{ s: Symbol("tag") }], "args[0].s is Symbol(tag),"],
    ["a promise", [Promise.resolve(1)], "args[0] is a Promise, which a task cannot carry. Await it first."],
    ["a hole in a list", [[1, , 3]], "args[0][1] is a hole in a sparse array,"], // oxlint-disable-line no-sparse-arrays
    ["an invalid Date", [new Date(Number.NaN)], "args[0] is an invalid Date,"],
    ["a cycle", [cyclic], "args[0].list[0].back is args[0] again, a cycle,"],
    ["a WeakMap", [new WeakMap()], "args[0] is a WeakMap,"],
    ["a boxed value", [Object("x")], "args[0] is a String,"],
    ["shared memory", [new SharedArrayBuffer(1)], "args[0] is a SharedArrayBuffer,"],
    ["an inherited object", [Object.create({ inherited: 1 })], "args[0] is an object with a prototype of its own,"],
    ["a subclass of Map", [new (class Cache extends Map {})()], "args[0] is a Cache,"],
    ["a subclass of Array", [new (class Rows extends Array {})()], "args[0] is a Rows,"],
    ["a subclass of Date", [new (class Day extends Date {})()], "args[0] is a Day,"],
    ["inside a Map's value", [new Map([["k", [Symbol("x")]]])], 'args[0].get("k")[0] is Symbol(x),'],
    ["inside a Map's key", [new Map([[Symbol("x"), 1]])], "args[0].keys()[0] is Symbol(x),"],
    ["inside a Set", [new Set([1, () => 1])], "args[0].values()[1] is a function,"],
    ["inside an error", [Object.assign(new Error("e"), { req: new Socket() })], "args[0].req is a Socket,"],
    ["under an odd key", [{ "first name": Symbol("x") }], 'args[0]["first name"] is Symbol(x),'],
    ["a toJSON method", [{ toJSON: () => 1 }], "args[0].toJSON is the function toJSON,"],
    ["too deep", nested(maxDepth + 1), `lies more than ${maxDepth} levels deep, which a task cannot carry.`],
  ])("%s", (_, value, message) => {
    expect(() => encode(value, "args")).toThrow(UnencodableError);
    expect(() => encode(value, "args")).toThrow(message);
  });

  it("says the path in the error too, and calls a result a result", () => {
    expect(() => encode({ rows: [new Socket()] }, "result")).toThrow(
      expect.objectContaining({ code: "QLUSTER_UNENCODABLE", path: "result.rows[0]" }),
    );
  });

  it("the deepest that is allowed is carried, plain or not", () => {
    expectUnchanged(nested(maxDepth));
    expectUnchanged([nested(maxDepth - 1), 1n]);
  });

  it("anything at all is either refused or carried, never changed in silence", () => {
    const wild = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withSparseArray: true });

    fc.assert(
      fc.property(wild, (value) => {
        let text: string;
        try {
          text = encode(value, "args");
        } catch (error) {
          expect(error).toBeInstanceOf(UnencodableError);
          return;
        }
        expect(show(decode(text))).toBe(show(value));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("registerCodec (P096)", () => {
  class Money {
    readonly cents: bigint;
    readonly on: Date;
    constructor(cents: bigint, on: Date) {
      this.cents = cents;
      this.on = on;
    }
  }
  class Tip extends Money {}
  class Pair extends Map<string, unknown> {}
  registerCodec("test.Money", {
    type: Money,
    encode: ({ cents, on }) => ({ cents, on }),
    decode: ({ cents, on }) => new Money(cents, on),
  });

  it("carries instances of a class, with whatever they are made of", () => {
    const price = new Money(5n, new Date(9));

    const back = carry([{ price }, new Map([[price, new Set([price])]])]);

    expect(back).toStrictEqual([{ price }, new Map([[price, new Set([price])]])]);
  });

  it("serves subclasses, unless they have a codec of their own", () => {
    expect(carry(new Tip(1n, new Date(1)))).toStrictEqual(new Money(1n, new Date(1)));

    registerCodec("test.Tip", {
      type: Tip,
      encode: (tip) => tip.cents,
      decode: (cents) => new Tip(cents, new Date(0)),
    });

    expect(carry(new Tip(1n, new Date(1)))).toStrictEqual(new Tip(1n, new Date(0)));
  });

  it("serves subclasses of built-in classes, and codecs inside codecs", () => {
    registerCodec("test.Pair", { type: Pair, encode: (pair) => [...pair], decode: (entries) => new Pair(entries) });
    const pair = new Pair([["price", new Money(2n, new Date(3))]]);

    expect(carry([pair])).toStrictEqual([pair]);
  });

  it("takes the newer codec of the same name, as after a reload", () => {
    class Shape {
      sides = 3;
    }
    registerCodec("test.Shape", { type: Shape, encode: () => "old", decode: () => new Shape() });
    registerCodec("test.Shape", { type: Shape, encode: () => "new", decode: () => new Shape() });

    expect(encode(new Shape(), "args")).toContain('"new"');
  });

  it("refuses what the codec makes when no task can carry that, with the path", () => {
    class Job {
      done = false;
    }
    registerCodec("test.Job", { type: Job, encode: () => ({ run: () => 1 }), decode: () => new Job() });

    expect(() => encode([new Job()], "args")).toThrow("args[0].run is the function run, which a task cannot carry.");
  });

  it("says which codec failed, going in and coming out", () => {
    class Glass {
      full = true;
    }
    registerCodec("test.Glass", {
      type: Glass,
      encode: (glass) => ("broken" in glass ? fail("in pieces") : 1),
      decode: () => fail("no glass here"),
    });

    expect(() => encode([Object.assign(new Glass(), { broken: true })], "args")).toThrow(
      'args[0] made its codec "test.Glass" fail (Error: in pieces)',
    );
    expect(() => carry([new Glass()])).toThrow('The codec "test.Glass" failed on a stored value: Error: no glass here');
  });

  it.each<[string, string, object, string]>([
    ["no name", "", { type: Money, encode: String, decode: String }, "it has no name"],
    ["one of our names", "bytes", { type: Money, encode: String, decode: String }, "Qluster uses that name itself"],
    ["no class", "x", { encode: String, decode: String }, "its `type` is undefined, not a class"],
    ["no decode", "x", { type: Money, encode: String }, "its `decode` is undefined, not a function"],
  ])("refuses a codec with %s", (_, name, codec, fault) => {
    expect(() => registerCodec(name, codec as never)).toThrow(InvalidCodecError);
    expect(() => registerCodec(name, codec as never)).toThrow(`cannot be registered: ${fault}`);
  });
});

describe("decode", () => {
  it.each([
    ["no JSON", "[1,"],
    ["a tag of an unknown kind", '{"tagged":[{"$":"nonsense","v":1}]}'],
    ["a tag that is no name", '{"tagged":{"$":{"toString":1}}}'],
    ["bytes of a type that is none", '{"tagged":{"$":"bytes","v":["Function","YQ=="]}}'],
    ["a number that is none", '{"tagged":{"$":"bigint","v":"seven"}}'],
    ["entries that are none", '{"tagged":{"$":"Map","v":7}}'],
    ["a tag without its value", '{"tagged":{"$":"RegExp"}}'],
  ])("refuses %s, and changes nothing else", (_, text) => {
    expect(() => decode(text)).toThrow(UndecodableError);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("names the codec that is missing here", () => {
    const text = '{"tagged":{"$":"shop.Money","v":1}}';

    expect(() => decode(text)).toThrow(
      'A value was written by the codec "shop.Money", which this process does not have.',
    );
  });

  it("never makes the prototype of anything out of a key (P277)", () => {
    const back = carry([JSON.parse('{"__proto__":{"admin":true}}'), new Date(1)]) as [Record<string, unknown>, Date];

    expect(Object.getPrototypeOf(back[0])).toBe(Object.prototype);
    expect(back[0]["admin"]).toBeUndefined();
    expect(Object.keys(back[0])).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>)["admin"]).toBeUndefined();
  });

  it("throws nothing but its own error, whatever the text (P277)", () => {
    const name = fc.oneof(fc.constantFrom(...nativeCodecs.keys()), fc.jsonValue());
    const tag = fc.record({ $: name, v: fc.jsonValue() });
    const tagged = fc.record({ tagged: fc.oneof(tag, fc.array(tag)) }).map((value) => JSON.stringify(value));

    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), tagged), (text) => {
        try {
          decode(text);
        } catch (error) {
          expect(error).toBeInstanceOf(UndecodableError);
        }
      }),
    );
  });
});

function fail(message: string): never {
  throw new Error(message);
}

const key = fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "prototype", "a.b", "tagged", "$", "v"));
const leaf = fc.oneof(
  fc.string({ unit: fc.constantFrom("\n", "\0", '"', "\\", "a", "é", "\u2028", "\uD800", "\u{1F600}") }),
  fc.double(),
  fc.constantFrom(-0, Number.NaN, Infinity, null, undefined, true, false),
  fc.bigInt(),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.oneof(fc.uint8Array(), fc.int16Array(), fc.float32Array(), fc.float64Array(), fc.bigInt64Array()),
  fc.webUrl().map((text) => new URL(text)),
  fc.constantFrom(/a/, /[/\\]\n/giu),
);
const few = { maxLength: 4 };
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.array(tie("value"), few),
    fc.dictionary(key, tie("value"), { noNullPrototype: true, maxKeys: 4 }),
    fc.array(fc.tuple(tie("value"), tie("value")), few).map((entries) => new Map(entries)),
    fc.array(tie("value"), few).map((items) => new Set(items)),
  ),
}));
