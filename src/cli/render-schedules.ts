import type { PreviewedRun, Schedule, ScheduleRun } from "../client/schedule-types.js";
import { fillPrevious } from "../core/previous.js";
import { counted } from "./counted.js";
import type { Style } from "./terminal.js";

/** A schedule for programs. */
export function scheduleDocument(schedule: Schedule): object {
  const { success: _, toString: __, ...rest } = schedule;
  return schedule.kind === "chain" ? { ...rest, args: fillPrevious(rest.args, "previous()") } : rest;
}

/** Three lines for each schedule: what, when in words, and how it stands. */
export function renderSchedules(
  schedules: readonly { readonly schedule: Schedule; readonly last: ScheduleRun | undefined }[],
  style: Style,
): string[] {
  return schedules.flatMap(({ schedule, last }, index) => [
    ...(index === 0 ? [] : [""]),
    `${style("bold", schedule.name ?? schedule.id)}  ${targetText(schedule)}${stateText(schedule, style)}`,
    `  ${schedule.description}`,
    `  ${nextText(schedule)}${lastText(last)}`,
    ...(schedule.fault === undefined ? [] : [style("red", `  ${faultText(schedule.fault)}`)]),
  ]);
}

/** What each slot becomes: a task's name, or what is opened and of which tasks. */
export function targetText({ kind, func, funcs, size }: Pick<Schedule, "kind" | "func" | "funcs" | "size">): string {
  if (kind === "task") return func;
  if (kind === "iter") return `iterable of ${func}, ${counted(size, "element")}`;
  const shown = funcs.slice(0, mostNames);
  const rest = size > shown.length ? [`${size - shown.length} more`] : [];
  const names = [...shown, ...rest].join(kind === "chain" ? " → " : ", ");
  return kind === "chain" ? `chain ${names}` : `batch of ${names}`;
}

/** A line is read at a glance, or not at all. */
const mostNames = 5;

/** The next slots, each in the rule's zone and in UTC, with what the clocks do to it. */
export function renderPreview(slots: readonly PreviewedRun[], timeZone: string, style: Style): string[] {
  if (slots.length === 0) return ["It has no slot any more."];
  return slots.map(({ slot, note }) => {
    const utc = timeZone === "UTC" ? "" : style("dim", `  ${slot.toISOString().replace(".000Z", "Z")}`);
    return `${localText(slot, timeZone)}${utc}${note === undefined ? "" : `  ${style("yellow", note)}`}`;
  });
}

/** `Thu 2026-01-01 03:00:00`, as the clocks of a zone show it. */
export function localText(slot: Date, timeZone: string): string {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    weekday: "short",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  const parts = Object.fromEntries(format.formatToParts(slot).map(({ type, value }) => [type, value]));
  const { weekday = "", year = "", month = "", day = "", hour = "", minute = "", second = "" } = parts;
  return `${weekday} ${year}-${month}-${day} ${hour}:${minute}:${second}`;
}

function stateText({ paused, repeats, isDeclared }: Schedule, style: Style): string {
  const words = [
    ...(paused ? [style("yellow", "paused")] : []),
    ...(repeats >= 0 ? [`${repeats} left`] : []),
    ...(isDeclared ? [style("dim", "declared in code")] : []),
  ];
  return words.length === 0 ? "" : `  [${words.join(", ")}]`;
}

function nextText({ nextRun, paused, timeZone }: Schedule): string {
  if (nextRun === undefined) return "Next: never";
  return `Next: ${localText(nextRun, timeZone)} (${timeZone})${paused ? ", when it is resumed" : ""}`;
}

function lastText(last: ScheduleRun | undefined): string {
  return last === undefined ? "" : `. Last: ${last.slot.toISOString().replace(".000Z", "Z")}, ${last.state}`;
}

function faultText({ message, count, retryAt }: NonNullable<Schedule["fault"]>): string {
  return `Could not be fired (${count} in a row): ${message} Tried again at ${retryAt.toISOString().replace(/\.\d+Z$/, "Z")}.`;
}
