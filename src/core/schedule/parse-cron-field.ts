import type { CronField } from "./cron-names.js";

/** What one field allows. */
export interface FieldValues {
  /** Ascending, each once. */
  readonly values: readonly number[];
  /** `L` among the days of the month: the last one. */
  readonly last: boolean;
  /** `5L` and `L5` among the days of the week: the last one of the month. */
  readonly lastOf: readonly number[];
  /** `5#2`: the second Friday of the month. */
  readonly nth: readonly { readonly day: number; readonly nth: number }[];
}

/** Says what is wrong with a piece of a field. The position is that of the piece, counted from the field's start. */
export type Fault = (at: number, message: string) => never;

interface Found {
  readonly values: Set<number>;
  last: boolean;
  readonly lastOf: Set<number>;
  readonly nth: { readonly day: number; readonly nth: number }[];
}

/** Reads one field: a list of values, ranges and steps; days also with `L` and `#`. */
export function parseCronField(text: string, field: CronField, fault: Fault): FieldValues {
  const found: Found = { values: new Set(), last: false, lastOf: new Set(), nth: [] };
  let at = 0;
  for (const piece of text.split(",")) {
    if (piece === "") fault(at, `a value is missing beside the comma in the field for the ${field.name}`);
    readPiece(piece, field, found, (offset, message) => fault(at + offset, message));
    at += piece.length + 1;
  }
  return {
    values: [...found.values].sort((a, b) => a - b),
    last: found.last,
    lastOf: [...found.lastOf],
    nth: found.nth,
  };
}

function readPiece(piece: string, field: CronField, found: Found, fault: Fault): void {
  if (field.name === "day of the month" && piece.toUpperCase() === "L") {
    found.last = true;
    return;
  }
  if (field.name === "day of the week" && readDayOfMonthWeek(piece, field, found, fault)) return;
  const [range = "", step, more] = piece.split("/");
  if (more !== undefined) fault(range.length + step!.length + 1, `"${piece}" has two steps`);
  const by = step === undefined ? 1 : stepOf(step, field, (at, message) => fault(range.length + 1 + at, message));
  const [first, last] = boundsOf(range, step !== undefined, field, fault);
  for (let value = first; value <= last; value += by) {
    found.values.add(field.name === "day of the week" ? value % 7 : value);
  }
}

/** `5L`, `L5`, `5#2`. `false`: it is none of them. */
function readDayOfMonthWeek(piece: string, field: CronField, found: Found, fault: Fault): boolean {
  const nth = /^([a-z0-9]+)#(.*)$/i.exec(piece);
  if (nth !== null) {
    const [, day = "", count = ""] = nth;
    if (!/^[1-5]$/.test(count)) fault(day.length + 1, `"${count}" is no week of a month: 1 to 5`);
    found.nth.push({ day: valueOf(day, field, fault) % 7, nth: Number(count) });
    return true;
  }
  const last = /^(?:L([0-7]|[a-z]{3})|([0-7]|[a-z]{3})L)$/i.exec(piece);
  if (last === null) return false;
  found.lastOf.add(valueOf(last[1] ?? last[2] ?? "", field, fault) % 7);
  return true;
}

function boundsOf(range: string, stepped: boolean, field: CronField, fault: Fault): [number, number] {
  const most = field.name === "day of the week" ? 6 : field.most;
  if (range === "*") return [field.least, most];
  const [from = "", to, more] = range.split("-");
  if (more !== undefined) fault(from.length + to!.length + 1, `"${range}" is no range: one dash is enough`);
  const first = valueOf(from, field, fault);
  if (to === undefined) return [first, stepped ? Math.max(first, most) : first];
  const end = valueOf(to, field, (at, message) => fault(from.length + 1 + at, message));
  // A week may end with its Sunday: fri-sun.
  const last = field.name === "day of the week" && end === 0 && first > 0 ? 7 : end;
  if (last < first) fault(0, `the range "${range}" goes backwards; write ${first}-${most},${field.least}-${end}`);
  return [first, last];
}

function valueOf(text: string, field: CronField, fault: Fault): number {
  const named = field.names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named + (field.name === "month" ? 1 : 0);
  const value = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= field.least && value <= field.most) return value;
  const names = field.names === undefined ? "" : `, or ${field.names[0] ?? ""} to ${field.names.at(-1) ?? ""}`;
  return fault(0, `"${text}" is no ${field.name}: ${field.least} to ${field.most}${names}`);
}

function stepOf(text: string, field: CronField, fault: Fault): number {
  const step = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (step >= 1 && step <= field.most) return step;
  return fault(0, `"${text}" is no step of the ${field.name}: 1 to ${field.most}`);
}
