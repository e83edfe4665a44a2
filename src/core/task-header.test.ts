import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readHeader } from "./task-header.js";

const least = { v: 1, id: "a1", func: "core.tasks.run" };
const line = (header: unknown): string => `${JSON.stringify(header)}\n[]\nsignature`;

describe("readHeader", () => {
  it("reads the first line, without asking who signed it", () => {
    const full = {
      ...least,
      name: "n",
      group: "g",
      kind: "hook",
      timeout: null,
      attempts: 0,
      backoff: { base: 1, factor: 2, max: 3, jitter: 0.5 },
      priority: -100,
      save: false,
      hook: "core.tasks.hook",
      hookOn: "attempt",
      parent: "p",
      due: 5,
    };

    expect(readHeader(line(least))).toEqual(least);
    expect(readHeader(line(full))).toEqual(full);
  });

  it("keeps what it does not know: later code of the same version may add to it", () => {
    expect(readHeader(line({ ...least, added: 1 }))).toEqual({ ...least, added: 1 });
  });

  it("takes from a newer version only what every version has", () => {
    expect(readHeader(line({ ...least, v: 2, timeout: { soft: "5s" } }))).toEqual({ ...least, v: 2 });
  });

  it.each<[string, string]>([
    ["nothing", ""],
    ["one line", JSON.stringify(least)],
    ["no JSON", "{v:1}\n[]\n"],
    ["a list", line([1])],
    ["null", line(null)],
    ["no version", line({ id: "a", func: "f" })],
    ["a version that is none", line({ ...least, v: "1" })],
    ["version 0", line({ ...least, v: 0 })],
    ["no id", line({ v: 1, func: "f" })],
    ["an empty function", line({ ...least, func: "" })],
    ["a time-out that is text", line({ ...least, timeout: "5s" })],
    ["a negative time-out", line({ ...least, timeout: -1 })],
    ["attempts that are none", line({ ...least, attempts: null })],
    ["a backoff that is a number", line({ ...least, backoff: 5 })],
    ["a backoff with text in it", line({ ...least, backoff: { base: "1s" } })],
    ["a priority that is text", line({ ...least, priority: "high" })],
    ["another kind", line({ ...least, kind: "cron" })],
    ["another hookOn", line({ ...least, hookOn: "start" })],
    ["a group that is a number", line({ ...least, group: 5 })],
    ["a due time that is text", line({ ...least, due: "2026" })],
  ])("finds no header in %s (P278)", (_, envelope) => {
    expect(readHeader(envelope)).toBeUndefined();
  });

  it("never throws, and never gives a field of a wrong type", () => {
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom(1, null, "x", -1));
    const keys = ["v", "id", "func", "timeout", "attempts", "backoff", "priority", "group"];
    const header = fc.dictionary(fc.constantFrom(...keys), value).map((given) => line({ ...least, ...given }));

    fc.assert(
      fc.property(fc.oneof(fc.string(), header), (envelope) => {
        const read = readHeader(envelope);

        if (read === undefined || read.v !== 1) return;
        expect(typeof read.id).toBe("string");
        expect(["undefined", "number"]).toContain(typeof (read.timeout ?? undefined));
        expect(["undefined", "number"]).toContain(typeof read.attempts);
        expect(["undefined", "object"]).toContain(typeof read.backoff);
      }),
    );
  });
});
