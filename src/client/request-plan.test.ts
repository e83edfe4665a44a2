import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TaskOptions } from "../core/task-types.js";
import { InvalidDurationError, OptionError, QlusterError, TooLongError } from "../errors.js";
import { planRequest } from "./request-plan.js";

const long = "x".repeat(101);

describe("the header", () => {
  it("has only what was given (P065)", () => {
    expect(planRequest({}).header).toEqual({});
    expect(planRequest({ group: undefined, timeout: undefined, priority: 0 }).header).toEqual({});
  });

  it.each<[string, TaskOptions, object]>([
    ["taskName (P069)", { taskName: "nightly" }, { name: "nightly" }],
    ["group (P071)", { group: "g1" }, { group: "g1" }],
    ["save (P072)", { save: false }, { save: false }],
    ["timeout (P073)", { timeout: "1.5s" }, { timeout: 1_500 }],
    ["timeout null, which is none (P022)", { timeout: null }, { timeout: null }],
    ["timeout -1, which is none (P022)", { timeout: -1 }, { timeout: null }],
    ["ackFailure (P074)", { ackFailure: true }, { attempts: 1 }],
    ["ackFailure false", { ackFailure: false }, {}],
    ["ackFailure beside attempts: 1", { ackFailure: true, attempts: 1 }, { attempts: 1 }],
    ["attempts (P093)", { attempts: 5 }, { attempts: 5 }],
    ["attempts without end (P093)", { attempts: 0 }, { attempts: 0 }],
    ["backoff (P093)", { backoff: { base: "2s", jitter: 0 } }, { backoff: { base: 2_000, jitter: 0 } }],
    ["priority (P091)", { priority: -100 }, { priority: -100 }],
    ["hookOn (P346)", { hookOn: "attempt" }, { hookOn: "attempt" }],
  ])("carries %s", (_, options, header) => {
    expect(planRequest(options).header).toEqual(header);
  });
});

it.each<[string, TaskOptions, object]>([
  ["delay (P090)", { delay: "5m" }, { delayMs: 300_000 }],
  ["runAt (P090)", { runAt: new Date(1_000) }, { runAt: 1_000 }],
  ["expires", { expires: "1h" }, { expiresMs: 3_600_000 }],
  ["queue (P077)", { queue: "media" }, { queue: "media" }],
  ["sync (P084)", { sync: true }, { sync: true }],
  ["unique (P092)", { unique: "a1" }, { unique: { key: "a1", until: "finished", forMs: null } }],
  ["unique until the start (P092)", { unique: { key: "a1", while: "queued" } }, { unique: { until: "started" } }],
  ["unique for a time (P092)", { unique: { key: "a1", for: "10m" } }, { unique: { forMs: 600_000 } }],
  ["cached: false, which says nothing", { cached: false }, { header: {} }],
  ["cached (P167)", { cached: "10s" }, { header: { cached: 10_000 } }],
  ["cached without limit (P168)", { cached: true }, { header: { cached: null } }],
])("plans %s", (_, options, plan) => {
  expect(planRequest(options)).toMatchObject(plan);
});

it.each<[string, object, new (...args: never[]) => QlusterError, RegExp]>([
  ["an unknown option", { gruop: "g" }, OptionError, /no option "gruop" of a task\. Did you mean group\?/],
  ["an option like no other", { zzz: 1 }, OptionError, /no option "zzz".*Known are: group, hook/],
  ["Django Q2's cluster", { cluster: "media" }, OptionError, /In Qluster this is queue/],
  ["Django Q2's q_options", { qOptions: {} }, OptionError, /Give its members as options themselves/],
  ["a bad delay", { delay: "5 min" }, InvalidDurationError, /delay.*5 min|5 min.*delay/],
  ["a negative delay", { delay: -5 }, InvalidDurationError, /delay/],
  ["a time-out of 0 (P022)", { timeout: 0 }, OptionError, /option timeout is 0; expected a duration above 0/],
  ["a negative time-out (P022)", { timeout: -2 }, InvalidDurationError, /timeout/],
  ["a bad date", { runAt: new Date("never") }, OptionError, /option runAt is a Date.*expected a Date that is valid/],
  ["a date as a text", { runAt: "2026-01-01" }, OptionError, /option runAt is "2026-01-01"; expected a Date/],
  ["no time to start", { delay: "5m", expires: "1m" }, OptionError, /no time in which the task may start/],
  [
    "an expiry before runAt",
    { runAt: new Date(Date.UTC(2200, 0, 1)), expires: "1h" },
    OptionError,
    /runAt \(2200-01-01T00:00:00\.000Z\) and expires \(3600000 ms from now\) leave no time/,
  ],
  ["an expiry of 0", { expires: 0 }, OptionError, /option expires is 0/],
  [
    "a priority above 100 (P091)",
    { priority: 101 },
    OptionError,
    /priority is 101; expected a whole number from -100 to 100/,
  ],
  ["half a priority", { priority: 0.5 }, OptionError, /priority is 0\.5/],
  ["a priority in words", { priority: "high" }, OptionError, /priority is "high"/],
  ["negative attempts", { attempts: -1 }, OptionError, /attempts is -1; expected a whole number of 0 or more/],
  ["attempts against ackFailure", { attempts: 5, ackFailure: true }, OptionError, /contradict each other/],
  ["an unknown part of backoff", { backoff: { bas: "1s" } }, OptionError, /"backoff\.bas".*Did you mean base\?/],
  ["a factor below 1", { backoff: { factor: 0.5 } }, OptionError, /backoff\.factor is 0\.5/],
  ["a jitter above 1", { backoff: { jitter: 2 } }, OptionError, /backoff\.jitter is 2; expected a number from 0 to 1/],
  ["a backoff that is none", { backoff: "1s" }, OptionError, /backoff is "1s"; expected \{ base/],
  ["a bad duration in backoff", { backoff: { max: "x" } }, InvalidDurationError, /backoff\.max/],
  ["a group that is too long (P097)", { group: long }, TooLongError, /group.*101.*100/],
  ["a name that is too long (P097)", { taskName: long }, TooLongError, /taskName.*101.*100/],
  ["a queue that is too long (P097)", { queue: long }, TooLongError, /queue.*101.*100/],
  ["an empty group", { group: "" }, OptionError, /option group is ""; expected a text that is not empty/],
  ["a group with a NUL", { group: "a\0b" }, OptionError, /group is "a\\u0000b"; expected a text without NUL/],
  ["a unique key with a NUL", { unique: "a\0b" }, OptionError, /unique\.key is .*expected a text without NUL/],
  ["a name with a NUL", { taskName: "a\0b" }, OptionError, /taskName is .*expected a text without NUL/],
  ["a number as group", { group: 5 }, OptionError, /option group is 5/],
  ["a word for save", { save: "no" }, OptionError, /option save is "no"; expected true or false/],
  ["an unknown hookOn", { hookOn: "success" }, OptionError, /hookOn is "success"; expected "final" or "attempt"/],
  ["a unique without key", { unique: {} }, OptionError, /unique\.key is undefined/],
  ["a unique that is a number", { unique: 5 }, OptionError, /option unique is 5/],
  ["an unknown while", { unique: { key: "a", while: "running" } }, OptionError, /unique\.while is "running"/],
  ["a unique for no time", { unique: { key: "a", for: 0 } }, OptionError, /unique\.for is 0/],
  ["a wrong time in the cache", { cached: "soon" as never }, InvalidDurationError, /cached/],
])("refuses %s", (_, options, type, message) => {
  const attempt = () => planRequest(options as TaskOptions);

  expect(attempt).toThrow(type);
  expect(attempt).toThrow(message);
});

it("refuses what it does not know with an error of its own, whatever it is", () => {
  const anything = fc.dictionary(
    fc.constantFrom(
      "group",
      "delay",
      "timeout",
      "attempts",
      "priority",
      "unique",
      "backoff",
      "runAt",
      "hookOn",
      "queue",
    ),
    fc.anything(),
  );

  fc.assert(
    fc.property(anything, (options) => {
      try {
        planRequest(options as TaskOptions);
      } catch (error) {
        expect(error).toBeInstanceOf(QlusterError);
      }
    }),
  );
});
