/** Words for wall times, which are read as if they were in UTC. */

export const weekdays: readonly string[] = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");
export const months: readonly string[] =
  "January February March April May June July August September October November December".split(" ");

/** `03:00`, or with seconds `03:00:30` where there are any. */
export function timeText(wallTime: number): string {
  const text = new Date(wallTime).toISOString();
  return text.slice(17, 23) === "00.000" ? text.slice(11, 16) : text.slice(11, 19);
}

/** `2026-03-29`. */
export function dateText(wallTime: number): string {
  return new Date(wallTime).toISOString().slice(0, 10);
}

/** `UTC+5:30`. */
export function offsetText(offsetMs: number): string {
  const minutes = Math.abs(Math.round(offsetMs / 60_000));
  const rest = minutes % 60 === 0 ? "" : `:${String(minutes % 60).padStart(2, "0")}`;
  return minutes === 0 ? "UTC" : `UTC${offsetMs < 0 ? "-" : "+"}${Math.floor(minutes / 60)}${rest}`;
}

/** `a, b and c`. */
export function listText(parts: readonly string[], word = "and"): string {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} ${word} ${parts.at(-1) ?? ""}`;
}

/** `1st`, `2nd`. */
export function ordinal(n: number): string {
  const ending = n % 100 > 10 && n % 100 < 14 ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${n}${ending}`;
}
