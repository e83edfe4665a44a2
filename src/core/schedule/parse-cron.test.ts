import { describe, expect, it } from "vitest";
import { ScheduleError } from "../../errors.js";
import { parseCron } from "./parse-cron.js";

function faultOf(expression: string): ScheduleError {
  try {
    parseCron(expression);
  } catch (error) {
    if (error instanceof ScheduleError) return error;
    throw error;
  }
  throw new Error(`Expected "${expression}" to be refused.`);
}

describe("a cron expression", () => {
  it.each([
    ["0 22 * * 1-12", 12, '"12" is no day of the week: 0 to 7, or sun to sat'],
    ["61 * * * *", 1, '"61" is no minute: 0 to 59'],
    ["0 24 * * *", 3, '"24" is no hour: 0 to 23'],
    ["0 0 0 * *", 5, '"0" is no day of the month: 1 to 31'],
    ["0 0 1 13 *", 7, '"13" is no month: 1 to 12, or jan to dec'],
    ["0 0 * * frj", 9, '"frj" is no day of the week'],
    ["0 0 * * 5#6", 11, '"6" is no week of a month: 1 to 5'],
    ["0 0 * * L", 9, '"L" is no day of the week'],
    ["0 0 * * * 60", 11, '"60" is no second: 0 to 59'],
    ["*/0 * * * *", 3, '"0" is no step of the minute: 1 to 59'],
    ["1-5-9 * * * *", 4, '"1-5-9" is no range'],
    ["1/2/3 * * * *", 4, '"1/2/3" has two steps'],
    ["0 22-2 * * *", 3, 'the range "22-2" goes backwards; write 22-23,0-2'],
    ["1,,2 * * * *", 3, "a value is missing beside the comma"],
    ["@reboot", 1, "known words are @hourly"],
    ["0 22 * *", 9, "it has 4 fields, and needs five"],
    ["0 22 * * * * 9", 14, "it has 7 fields"],
    ["0 0 30 2 *", 5, "no date of any year fits"],
    ["W * * * *", 1, '"W" is no minute'],
  ])("%j is refused, with the position of the fault (P181, P182)", (expression, position, message) => {
    const fault = faultOf(expression);

    expect(fault.message).toContain(message);
    expect(fault).toMatchObject({ code: "QLUSTER_SCHEDULE", field: "cron", position });
    expect(fault.message).toContain(`position ${position}`);
  });

  it.each(["29 feb may still come", "5#5"])("that is rare is no fault: %s", (which) => {
    expect(() => parseCron(which === "5#5" ? "0 0 * 2 5#5" : "0 0 29 2 *")).not.toThrow();
  });

  it("may have any blanks between its fields, and letters of any size", () => {
    expect(parseCron("  0\t22  *  JAN Mon ")).toEqual(parseCron("0 22 * 1 1"));
  });
});
