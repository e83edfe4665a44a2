import { describe, expect, it } from "vitest";
import { ScheduleError } from "../../errors.js";
import { checkRule, type RuleInput } from "./check-rule.js";
import { replaceRule } from "./edit-rule.js";
import { zoneClock } from "./zone-clock.js";

const now = Date.parse("2026-01-01T12:00:00.400Z");
const zone = await zoneClock("UTC");
const setting = { now, zone, catchUp: "latest", zeroMinutes: false } as const;

describe("a rule", () => {
  it.each<[unknown, string, string]>([
    [{ type: "CRON" }, "cron", 'this schedule has none. Give one, such as "0 22 * * 1-5"'],
    [{ type: "CRON", cron: "" }, "cron", 'has ""'],
    [{ type: "CRON", cron: 5 }, "cron", "has 5"],
    [{ type: "DALY" }, "type", 'no schedule type "DALY". Did you mean "DAILY"?'],
    [{ type: 7 }, "type", "Types are ONCE, MINUTES"],
    [{ type: "MINUTES", minutes: -1 }, "minutes", "is -1; expected a whole number of at least 1"],
    [{ type: "MINUTES", minutes: 0 }, "minutes", "Leave it out for every minute"],
    [{ type: "MINUTES", minutes: 1.5 }, "minutes", "is 1.5"],
    [{ type: "DAILY", minutes: 5 }, "minutes", "does not belong to the type DAILY. It belongs to MINUTES"],
    [{ type: "HOURLY", at: "03:00" }, "at", "does not belong to the type HOURLY"],
    [{ type: "EVERY" }, "every", 'needs the field every, such as "45s"'],
    [{ every: "10ms" }, "every", "expected at least one second"],
    [{ type: "DAILY", at: "24:00" }, "at", "from 00:00 to 23:59"],
    [{ type: "DAILY", at: "3" }, "at", 'is "3"'],
    [{ nextRun: "tomorrow" }, "nextRun", "expected a Date that is valid"],
    [{ nextRun: new Date(NaN) }, "nextRun", "expected a Date that is valid"],
    [{ type: "DAILY", until: new Date(0) }, "until", "which is in the past"],
    [{ type: "DAILY", nextRun: new Date(now + 9_000), until: new Date(now + 5_000) }, "until", "so it would never run"],
    [{ cron: "0 0 1 1 *", until: new Date(now + 5_000) }, "until", "has no slot before `until`"],
    [{ type: "DAILY", catchUp: "some" }, "catchUp", "expected one of all, latest, none"],
    [{ type: "DAILY", catchUpLimit: 0 }, "catchUpLimit", "from 1 to 10000"],
    [{ type: "DAILY", overlap: "no" }, "overlap", "expected one of allow, skip, queue"],
  ])("%j is refused, naming the field (P182)", (input, field, message) => {
    let fault: unknown;
    try {
      checkRule(input as RuleInput, setting);
    } catch (error) {
      fault = error;
    }

    expect(fault).toBeInstanceOf(ScheduleError);
    expect(fault).toMatchObject({ field, message: expect.stringContaining(message) as string });
  });

  it.each(["Mars/Olympus", "", 7, "+03:00"])("with the zone %j is refused (P198)", (name) => {
    expect(() => zoneClock(name)).toThrow(
      expect.objectContaining({ code: "QLUSTER_SCHEDULE", field: "timeZone" }) as Error,
    );
  });

  it.each([
    ["Europe/Moskow", "Europe/Moscow"],
    ["moscow", "Europe/Moscow"],
    ["Amsterdam", "Europe/Amsterdam"],
  ])("with the zone %j is refused with the nearest one (P198)", (name, near) => {
    expect(() => zoneClock(name)).toThrow(`Did you mean "${near}"?`);
  });

  it("counts a zone in other letters as the same", async () => {
    expect((await zoneClock("europe/moscow")).name).toBe("Europe/Moscow");
    expect((await zoneClock("Etc/UTC")).name).toBe("UTC");
  });

  it.each([
    ["O", "ONCE"],
    ["I", "MINUTES"],
    ["H", "HOURLY"],
    ["D", "DAILY"],
    ["W", "WEEKLY"],
    ["BW", "BIWEEKLY"],
    ["M", "MONTHLY"],
    ["BM", "BIMONTHLY"],
    ["Q", "QUARTERLY"],
    ["Y", "YEARLY"],
  ])("takes Django Q2's code %s for %s (P176)", (code, type) => {
    expect(checkRule({ type: code }, setting).rule.type).toBe(type);
  });

  it("takes Django Q2's code C for CRON (P176)", () => {
    expect(checkRule({ type: "C", cron: "@daily" }, setting).rule.type).toBe("CRON");
  });

  it("is ONCE, now, unless it says otherwise (P175, P196)", () => {
    const { rule, firstSlot } = checkRule({}, setting);

    expect(rule.type).toBe("ONCE");
    expect(firstSlot).toBe(Date.parse("2026-01-01T12:00:00Z"));
  });

  it("takes 0 minutes for 1 where Django Q2's values hold (P178)", () => {
    expect(checkRule({ type: "MINUTES", minutes: 0 }, { ...setting, zeroMinutes: true }).rule.everyMs).toBe(60_000);
  });

  it("by cron starts at its next slot, never at creation; `nextRun` means not before (P194)", () => {
    const first = (nextRun?: Date): string =>
      new Date(checkRule({ cron: "0 * * * *", nextRun }, setting).firstSlot).toISOString();

    expect(first()).toBe("2026-01-01T13:00:00.000Z");
    expect(first(new Date("2026-01-05T10:00Z"))).toBe("2026-01-05T10:00:00.000Z");
    expect(first(new Date("2025-01-01T00:00Z"))).toBe("2026-01-01T13:00:00.000Z");
  });
});

describe("a rule that is edited", () => {
  const daily = checkRule({ type: "DAILY", at: "03:00" }, setting);
  const change = (input: RuleInput, before = daily): string =>
    new Date(replaceRule(before.rule, input, before.firstSlot, setting).nextRun!).toISOString().slice(0, 16);

  it.each<[string, RuleInput, string]>([
    ["cron", { cron: "0 22 * * *" }, "2026-01-01T22:00"],
    ["type, keeping its time of the day", { type: "WEEKLY" }, "2026-01-02T03:00"],
    ["type, to elapsed time", { type: "HOURLY" }, "2026-01-01T13:00"],
    ["time of the day", { type: "DAILY", at: "13:00" }, "2026-01-01T13:00"],
    ["first slot", { type: "DAILY", nextRun: new Date("2026-03-01T07:00Z") }, "2026-03-01T07:00"],
    ["catch-up only: the same slot", { type: "DAILY", catchUp: "all" }, "2026-01-02T03:00"],
  ])("looks for its slot by the new %s (P195)", (_, input, expected) => {
    expect(change(input)).toBe(expected);
  });

  it("keeps its grid when minutes change (P195)", () => {
    const every10 = checkRule({ type: "MINUTES", minutes: 10, nextRun: new Date("2026-01-01T11:57Z") }, setting);

    expect(change({ type: "MINUTES", minutes: 4 }, every10)).toBe("2026-01-01T12:01");
  });

  it("keeps its time on the clock when the zone changes (P195, P198)", async () => {
    const moscow = { ...setting, zone: await zoneClock("Europe/Moscow") };

    const { rule, nextRun } = replaceRule(daily.rule, { type: "DAILY" }, daily.firstSlot, moscow);

    expect(rule.timeZone).toBe("Europe/Moscow");
    expect(new Date(nextRun!).toISOString()).toBe("2026-01-02T00:00:00.000Z");
  });
});
