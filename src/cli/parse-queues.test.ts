import { describe, expect, it } from "vitest";
import { parseQueues } from "./parse-queues.js";
import { UsageError } from "./usage-error.js";

describe("--queues", () => {
  it.each([
    ["media", { media: 1 }],
    ["default,media", { default: 1, media: 1 }],
    ["default:3,media:1", { default: 3, media: 1 }],
    [" a : 2 , b ", { a: 2, b: 1 }],
    ["default=3,media", { default: 3, media: 1 }],
    ["tenant:7:2", { "tenant:7": 2 }],
  ])("reads %j (P322)", (text, queues) => {
    expect(parseQueues(text)).toEqual(queues);
  });

  it.each([
    ["", /empty name, in ""/],
    ["a,,b", /empty name/],
    [":3", /empty name/],
    ["a,b,a", /names "a" twice/],
    ["a:0", /gives "a" the weight "0"/],
    ["a:1.5", /the weight "1.5", but a weight is a whole number from 1/],
    ["a:", /the weight ""/],
    ["a:-1", /the weight "-1"/],
  ])("refuses %j and shows how it is written", (text, message) => {
    expect(() => parseQueues(text)).toThrow(UsageError);
    expect(() => parseQueues(text)).toThrow(message);
    expect(() => parseQueues(text)).toThrow("--queues=default,media");
  });
});
