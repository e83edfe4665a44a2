import { describe, expect, it } from "vitest";
import { EnvelopeError } from "../errors.js";
import { openResult, openTask, sealResult, sealTask } from "./envelope.js";
import { readHeader } from "./task-header.js";
import { keyring } from "./keyring.js";
import type { Keyring } from "./keyring.js";

const messages = 100_000;
const limit = { maxBytes: 100_000 };

/** Small numbers from a seed, the same each time (mulberry32). */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const shop = keyring("shop", ["right"]);
const strangers = [keyring("shop", ["wrong"]), keyring("blog", ["right"]), keyring("shop", ["wrong", "worse"])];

const modes = [false, true].flatMap((compress) => [false, true].map((encrypt) => ({ compress, encrypt, ...limit })));
const sealed = modes.flatMap((options, i) =>
  [["plain", i], [new Date(i), { big: 1n, bytes: Buffer.from("abc") }], ["word ".repeat(100)]].map((args, j) =>
    sealTask(
      shop,
      "default",
      { v: 1, id: `id${i}${j}`, func: "core.tasks.run", timeout: 5, group: "ü" },
      args,
      options,
    ),
  ),
);
const results = modes.map((options, i) => sealResult(shop, "id", { i, text: "word ".repeat(i * 20) }, options));
const letters = [
  "\n",
  "\r",
  "\0",
  '"',
  "{",
  "[",
  ".",
  "0",
  "9",
  "a",
  "z",
  "_",
  "-",
  "=",
  " ",
  "\u00E9",
  "\uD800",
  "\uFFFF",
];

type Mutation = (text: string, pick: (below: number) => number, all: readonly string[]) => string;

const mutations: readonly Mutation[] = [
  // One bit of one character.
  (text, pick) => replaceAt(text, pick(text.length), (c) => String.fromCharCode(c.charCodeAt(0) ^ (1 << pick(7)))),
  // One bit high up, which careless conversions to bytes drop.
  (text, pick) =>
    replaceAt(text, pick(text.length), (c) => String.fromCharCode(c.charCodeAt(0) ^ (1 << (8 + pick(8))))),
  // Cut off at the end, or at the start.
  (text, pick) => text.slice(0, pick(text.length)),
  (text, pick) => text.slice(1 + pick(text.length)),
  // A character more, less, or another one.
  (text, pick) => insertAt(text, pick(text.length + 1), letters[pick(letters.length)] ?? "x"),
  (text, pick) => replaceAt(text, pick(text.length), () => ""),
  (text, pick) => replaceAt(text, pick(text.length), () => letters[pick(letters.length)] ?? "x"),
  // The start of one, the end of another; a piece of another in the middle.
  (text, pick, all) => text.slice(0, pick(text.length)) + other(all, pick).slice(pick(200)),
  (text, pick, all) => insertAt(text, pick(text.length + 1), other(all, pick).slice(pick(200)).slice(0, pick(40))),
  // Lines swapped, doubled, left out, or taken from another.
  (text, pick) => swapped(text.split("\n"), pick).join("\n"),
  (text, pick) =>
    text
      .split("\n")
      .toSpliced(pick(3), 0, text.split("\n")[pick(3)] ?? "")
      .join("\n"),
  (text, pick) => text.split("\n").toSpliced(pick(3), 1).join("\n"),
  (text, pick, all) =>
    text
      .split("\n")
      .with(pick(2), other(all, pick).split("\n")[pick(2)] ?? "")
      .join("\n"),
  // Noise.
  (_, pick) => Array.from({ length: pick(300) }, () => String.fromCharCode(pick(256))).join(""),
];

const mutate: Mutation = (text, pick, all) => {
  const mutation = mutations[pick(mutations.length)];
  return mutation === undefined ? text : mutation(text, pick, all);
};

function replaceAt(text: string, at: number, change: (character: string) => string): string {
  return text.slice(0, at) + change(text[at] ?? "") + text.slice(at + 1);
}

function insertAt(text: string, at: number, more: string): string {
  return text.slice(0, at) + more + text.slice(at);
}

function other(all: readonly string[], pick: (below: number) => number): string {
  return all[pick(all.length)] ?? "";
}

function swapped(lines: readonly string[], pick: (below: number) => number): string[] {
  const [i, j] = [pick(lines.length), pick(lines.length)];
  return lines.with(i, lines[j] ?? "").with(j, lines[i] ?? "");
}

/** What opening ended in: `undefined` for a message that opened. */
function failureOf(open: () => unknown): unknown {
  try {
    open();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Opens mutated copies of every text, the same ones in each run. */
function attack(texts: readonly string[], rounds: number, open: (text: string) => unknown): Map<string, number> {
  const pick = chance(rounds);
  const reasons = new Map<string, number>();
  for (let round = 0; round < rounds; round++) {
    const text = texts[round % texts.length] ?? "";
    const mutated = mutate(text, pick, texts);
    // A splice of a message with itself can leave it as it was.
    if (texts.includes(mutated)) continue;
    const failure = failureOf(() => open(mutated));
    if (!(failure instanceof EnvelopeError)) throw new Error(`Round ${round}: ${String(failure)} for ${mutated}`);
    reasons.set(failure.reason, (reasons.get(failure.reason) ?? 0) + 1);
  }
  return reasons;
}

describe(`${messages.toLocaleString("en")} messages that were tampered with`, () => {
  it("none opens, and each is told apart by its reason (P272, P278)", () => {
    const reasons = attack(sealed, messages, (text) => openTask(shop, "default", text, limit));

    const total = [...reasons.values()].reduce((sum, count) => sum + count, 0);
    expect(total).toBeGreaterThan(messages * 0.95);
    expect([...reasons.keys()].toSorted()).toEqual(["newer", "signature", "unreadable"]);
    expect(reasons.get("newer")).toBeLessThan(messages * 0.01);
  }, 30_000);

  it("their headers are read without harm, with the types they should have", () => {
    const pick = chance(2);

    for (let round = 0; round < messages / 5; round++) {
      const text = other(sealed, pick);
      const header = readHeader(mutate(text, pick, sealed));

      if (header === undefined) continue;
      if (typeof header.id !== "string" || !["undefined", "number"].includes(typeof header.timeout)) {
        throw new Error(`Round ${round}: ${JSON.stringify(header)}`);
      }
    }
  }, 30_000);

  it("results are guarded in the same way", () => {
    const reasons = attack(results, messages / 5, (text) => openResult(shop, "id", text, limit));

    expect([...reasons.keys()].toSorted()).toEqual(["signature", "unreadable"]);
  }, 30_000);

  it("untouched ones open for their own project, queue and secret only", () => {
    const attempts: [Keyring, string][] = [
      [shop, "Default"],
      ...strangers.map((keys): [Keyring, string] => [keys, "default"]),
    ];

    for (const text of sealed) {
      expect(openTask(shop, "default", text, limit).header.func).toBe("core.tasks.run");
      for (const [keys, queue] of attempts) {
        expect(failureOf(() => openTask(keys, queue, text, limit))).toMatchObject({ reason: "signature" });
      }
    }
  });
});
