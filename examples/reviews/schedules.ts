import { ref, scheduled, type Declared } from "qluster";
import type { dailyReport, nightlyCleanup } from "./tasks.js";

/** What the shop does by the clock. Declared at every start: what is new is added, what has changed is changed. */
export const schedules: readonly Declared[] = [
  scheduled(ref<typeof dailyReport>("tasks.dailyReport"), { name: "daily report", type: "DAILY", at: "08:00" }),
  scheduled(ref<typeof nightlyCleanup>("tasks.nightlyCleanup"), {
    name: "nightly cleanup",
    type: "CRON",
    cron: "0 22 * * 1-5",
    timeZone: "Europe/Moscow",
    overlap: "skip",
  }),
];
