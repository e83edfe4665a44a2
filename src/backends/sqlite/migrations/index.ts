import type { Migration } from "../../sql/migration.js";
import { tables } from "./0001-tables.js";
import { outbox } from "./0002-outbox.js";
import { schedules } from "./0003-schedules.js";
import { flows } from "./0004-flows.js";

/** Every version of the tables, in order. A released one is never changed: add another. */
export const migrations: readonly Migration[] = [tables, outbox, schedules, flows];
