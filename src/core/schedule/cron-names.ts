/** One field of a cron expression: what people call it, its bounds, and the names that stand for numbers. */
export interface CronField {
  readonly name: "minute" | "hour" | "day of the month" | "month" | "day of the week" | "second";
  readonly least: number;
  readonly most: number;
  readonly names?: readonly string[];
}

const monthNames: readonly string[] = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
const dayNames: readonly string[] = "sun mon tue wed thu fri sat".split(" ");

/** In the order in which they are written. Seconds come last, as in Django Q2. 7 is Sunday too. */
export const cronFields: readonly CronField[] = [
  { name: "minute", least: 0, most: 59 },
  { name: "hour", least: 0, most: 23 },
  { name: "day of the month", least: 1, most: 31 },
  { name: "month", least: 1, most: 12, names: monthNames },
  { name: "day of the week", least: 0, most: 7, names: dayNames },
  { name: "second", least: 0, most: 59 },
];

export const cronWords: Readonly<Record<string, string>> = {
  "@hourly": "0 * * * *",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@weekly": "0 0 * * 0",
  "@monthly": "0 0 1 * *",
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
};
