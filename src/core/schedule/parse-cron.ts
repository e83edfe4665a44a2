import { ScheduleError } from "../../errors.js";
import { quote } from "../quote.js";
import { cronFields, cronWords } from "./cron-names.js";
import { nextWallTime } from "./next-wall-time.js";
import { parseCronField, type FieldValues } from "./parse-cron-field.js";

/** A cron expression, read. All lists ascend. */
export interface Cron {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  /** 1 to 12. */
  readonly months: readonly number[];
  readonly dates: FieldValues;
  readonly weekdays: FieldValues;
  /** Which of the two day fields count: both given means that either is enough. */
  readonly days: "every" | "dates" | "weekdays" | "either";
  /** It runs in each hour of its days, so it follows elapsed time through clock changes. */
  readonly everyHour: boolean;
}

const read = new Map<string, Cron>();
/** Expressions kept after reading; one more, and they are read anew. */
const kept = 1_000;

/**
 * Reads an expression of five fields (minute, hour, day of the month, month, day of the week), of six (seconds last), or
 * a word such as `@daily`.
 *
 * @throws {ScheduleError} with the position of the fault, also for one that no date fits.
 */
export function parseCron(expression: string): Cron {
  const known = read.get(expression);
  if (known !== undefined) return known;
  const cron = parse(expression);
  if (read.size >= kept) read.clear();
  read.set(expression, cron);
  return cron;
}

function parse(expression: string): Cron {
  const written = expression.trim().toLowerCase();
  if (written.startsWith("@") && cronWords[written] === undefined) {
    throw faulty(expression, expression.indexOf("@") + 1, `known words are ${Object.keys(cronWords).join(", ")}`);
  }
  const fields = fieldsOf(cronWords[written] ?? expression, expression);
  const values = cronFields.map((field, index) => {
    const { text, at } = fields[index] ?? { text: "0", at: expression.length };
    return parseCronField(text, field, (offset, message) => {
      throw faulty(expression, at + offset + 1, message);
    });
  });
  const [minutes, hours, dates, months, weekdays, seconds] = values as [
    FieldValues,
    FieldValues,
    FieldValues,
    FieldValues,
    FieldValues,
    FieldValues,
  ];
  const cron: Cron = {
    seconds: seconds.values,
    minutes: minutes.values,
    hours: hours.values,
    months: months.values,
    dates,
    weekdays,
    days: daysOf(dates.values.length === 31, weekdays.values.length === 7),
    everyHour: hours.values.length === 24,
  };
  if (nextWallTime(cron, 0) === null) throw faulty(expression, (fields[2]?.at ?? 0) + 1, "no date of any year fits");
  return cron;
}

function daysOf(anyDate: boolean, anyWeekday: boolean): Cron["days"] {
  if (anyDate) return anyWeekday ? "every" : "weekdays";
  return anyWeekday ? "dates" : "either";
}

function fieldsOf(text: string, expression: string): { readonly text: string; readonly at: number }[] {
  const fields = [...text.matchAll(/\S+/g)].map((match) => ({ text: match[0], at: match.index }));
  if (fields.length === 5 || fields.length === 6) return fields;
  const at = fields.length > 6 ? (fields[6]?.at ?? 0) + 1 : expression.trimEnd().length + 1;
  throw faulty(
    expression,
    at,
    `it has ${fields.length} field${fields.length === 1 ? "" : "s"}, and needs five ` +
      "(minute, hour, day of the month, month, day of the week), or six with the seconds last",
  );
}

function faulty(expression: string, position: number, message: string): ScheduleError {
  return new ScheduleError(
    "cron",
    `The cron expression ${quote(expression)} cannot be used; at position ${position}: ${message}.`,
    position,
  );
}
