import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StoredNote } from "../contracts/frames.js";
import { EnvelopeError } from "../errors.js";
import { keyring } from "./keyring.js";
import { composeHook, readHookBody } from "./hook-message.js";
import { openTask } from "./envelope.js";
import { readHeader } from "./task-header.js";

const outcome: StoredNote = {
  id: "p1",
  queue: "default",
  envelope: 'header\n["body"]\nsignature',
  attempt: 2,
  queuedAt: 1,
  startedAt: 2,
  stoppedAt: 3,
  success: true,
  result: "sealed",
  error: null,
};
const parent = { v: 1, id: "p1", func: "core.tasks.run", hook: "core.tasks.notify", timeout: 5 } as const;

describe("the message of a hook (P342)", () => {
  it("has limits of its own, and its function from the parent", () => {
    const message = composeHook("h1", { outcome }, parent);

    expect(readHeader(message)).toEqual({
      v: 1,
      id: "h1",
      func: "core.tasks.notify",
      kind: "hook",
      parent: "p1",
      timeout: 30_000,
      attempts: 3,
    });
    expect(message.split("\n")).toHaveLength(3);
  });

  it("hands on the parts as they were sealed", () => {
    const failed = { ...outcome, success: false, result: null, error: { name: "Error", message: "no", stack: null } };

    expect(readHookBody(composeHook("h1", { outcome }, parent))).toEqual({ outcome });
    expect(readHookBody(composeHook("h1", { outcome: failed }, parent))).toEqual({ outcome: failed });
  });

  it("is no sealed task: nobody can pass one off as the other", () => {
    const message = composeHook("h1", { outcome }, parent);

    expect(() => openTask(keyring("shop", ["s"]), "default", message, { maxBytes: 1e6 })).toThrow(
      expect.objectContaining({ reason: "signature" }),
    );
  });

  it.each<[string, string]>([
    ["nothing", ""],
    ["no second line", "{}"],
    ["no JSON", "{}\n{\n"],
    ["no outcome", "{}\n{}\n"],
    ["an outcome that is a list", '{}\n{"outcome":[]}\n'],
    ["a time that is text", `{}\n${JSON.stringify({ outcome: { ...outcome, startedAt: "now" } })}\n`],
    ["a result that is no text", `{}\n${JSON.stringify({ outcome: { ...outcome, result: {} } })}\n`],
    ["an error without a name", `{}\n${JSON.stringify({ outcome: { ...outcome, error: {} } })}\n`],
  ])("is unreadable with %s (P278)", (_, message) => {
    expect(() => readHookBody(message)).toThrow(EnvelopeError);
    expect(() => readHookBody(message)).toThrow(expect.objectContaining({ reason: "unreadable" }));
  });

  it("throws nothing but EnvelopeError, whatever the text", () => {
    const bodies = fc.jsonValue().map((value) => `{}\n${JSON.stringify({ outcome: value })}\n`);

    fc.assert(
      fc.property(fc.oneof(fc.string(), bodies), (message) => {
        expect(() => readHookBody(message)).toThrow(EnvelopeError);
      }),
    );
  });
});
