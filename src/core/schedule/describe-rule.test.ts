import { describe, expect, it } from "vitest";
import { checkRule, type RuleInput } from "./check-rule.js";
import { describeRule } from "./describe-rule.js";
import { previewSlots } from "./preview.js";
import { zoneClock } from "./zone-clock.js";

const now = Date.parse("2026-01-31T02:00Z");

async function sentence(input: RuleInput, zoneName = "Europe/Amsterdam"): Promise<string> {
  const zone = await zoneClock(zoneName);
  const { rule } = checkRule(input, { now, zone, catchUp: "latest", zeroMinutes: false });
  return describeRule(rule, zone);
}

describe("a rule in words", () => {
  it.each<[RuleInput, string]>([
    [{ type: "ONCE" }, "Once, on 2026-01-31 at 03:00 (Europe/Amsterdam)."],
    [{ type: "MINUTES" }, "Every minute."],
    [{ type: "MINUTES", minutes: 5 }, "Every 5 minutes."],
    [{ every: "90s" }, "Every 1m 30s."],
    [{ type: "HOURLY" }, "Every hour, at the full hour."],
    [{ type: "DAILY", at: "03:00" }, "Every day at 03:00 (Europe/Amsterdam)."],
    [{ type: "DAILY", at: "03:00:30" }, "Every day at 03:00:30 (Europe/Amsterdam)."],
    [{ type: "WEEKLY" }, "Every Saturday at 03:00 (Europe/Amsterdam)."],
    [{ type: "BIWEEKLY" }, "Every second Saturday at 03:00 (Europe/Amsterdam)."],
    [{ type: "MONTHLY" }, "Every month on the 31st, or the last day of a shorter month, at 03:00 (Europe/Amsterdam)."],
    [
      { type: "BIMONTHLY" },
      "Every second month on the 31st, or the last day of a shorter month, at 03:00 (Europe/Amsterdam).",
    ],
    [
      { type: "QUARTERLY", nextRun: new Date("2026-02-03T02:00Z") },
      "Every third month on the 3rd at 03:00 (Europe/Amsterdam).",
    ],
    [
      { type: "YEARLY", nextRun: new Date("2028-02-29T02:00Z") },
      "Every year on 29 February, or 28 February in other years, at 03:00 (Europe/Amsterdam).",
    ],
    [
      { type: "DAILY", jitter: "30s", until: new Date("2026-06-01T00:00Z") },
      "Every day at 03:00, until 2026-06-01 at 02:00, spread over 30s (Europe/Amsterdam).",
    ],
    [{ cron: "0 3 * * *" }, "Every day at 03:00 (Europe/Amsterdam)."],
    [{ cron: "0 22 * * 1-5" }, "At 22:00 on Monday to Friday (Europe/Amsterdam)."],
    [{ cron: "*/5 * * * *" }, "Every 5 minutes (Europe/Amsterdam)."],
    [{ cron: "* * * * *" }, "Every minute (Europe/Amsterdam)."],
    [{ cron: "@hourly" }, "At the start of every hour (Europe/Amsterdam)."],
    [{ cron: "15 * * * *" }, "At minute 15 of every hour (Europe/Amsterdam)."],
    [{ cron: "*/15 9-17 * * mon-fri" }, "Every 15 minutes of hour 9 to 17 on Monday to Friday (Europe/Amsterdam)."],
    [{ cron: "7,9 * L * *" }, "At minute 7 and 9 on the last day of the month (Europe/Amsterdam)."],
    [{ cron: "0 0 1 * 5" }, "At 00:00 on day 1 of the month or Friday (Europe/Amsterdam)."],
    [
      { cron: "0 0 * 1,6-8 5#2,L1" },
      "At 00:00 on the last Monday of the month or the 2nd Friday of the month in January and June to August (Europe/Amsterdam).",
    ],
    [{ cron: "0 12 * * * */20" }, "Every day at 12:00, 12:00:20 and 12:00:40 (Europe/Amsterdam)."],
    [{ cron: "* * * * * */10" }, "Every 10 seconds (Europe/Amsterdam)."],
  ])("%j: %s", async (input, expected) => {
    expect(await sentence(input)).toBe(expected);
  });
});

describe("a preview", () => {
  it.each<[string, RuleInput, string, string]>([
    [
      "that a time is shifted",
      { type: "DAILY", at: "02:30" },
      "2026-03-28T12:00Z",
      "02:30 does not exist on this day: at 02:00 the clocks go to 03:00 (UTC+1 to UTC+2). It runs at 03:30.",
    ],
    [
      "the same of a cron expression",
      { cron: "30 2 * * *" },
      "2026-03-28T12:00Z",
      "02:30 does not exist on this day: at 02:00 the clocks go to 03:00 (UTC+1 to UTC+2). It runs at 03:30.",
    ],
    [
      "that a time comes twice",
      { type: "DAILY", at: "02:30" },
      "2026-10-24T12:00Z",
      "02:30 comes twice on this day. It runs the first time only.",
    ],
    [
      "that it runs in both passes",
      { cron: "30 * * * *" },
      "2026-10-25T00:00Z",
      "02:30 comes twice on this day. It runs both times; this is the first.",
    ],
    [
      "that it is the second pass",
      { type: "HOURLY", nextRun: new Date("2026-10-24T22:00Z") },
      "2026-10-25T00:30Z",
      "02:00 comes for the second time on this day.",
    ],
    [
      "that the clocks have changed",
      { type: "DAILY", at: "12:00" },
      "2026-03-28T12:00Z",
      "The clocks have changed since the slot before: at 02:00 the clocks go to 03:00 (UTC+1 to UTC+2).",
    ],
  ])("says %s", async (_, input, after, note) => {
    const zone = await zoneClock("Europe/Amsterdam");
    const { rule } = checkRule(input, { now, zone, catchUp: "latest", zeroMinutes: false });

    const [slot, ...others] = previewSlots(rule, Date.parse(after), 4, zone);

    expect(slot?.note).toBe(note);
    expect(others).toHaveLength(3);
    expect(others.at(-1)?.note).toBeUndefined();
  });

  it("ends where the rule ends", async () => {
    const zone = await zoneClock("UTC");
    const until = new Date("2026-02-02T00:00Z");
    const { rule } = checkRule({ type: "DAILY", until }, { now, zone, catchUp: "latest", zeroMinutes: false });

    expect(previewSlots(rule, now - 1, 9, zone)).toHaveLength(2);
  });
});
