import type { Migration } from "../../sql/migration.js";
import { functions } from "./0001-functions.js";
import { tables } from "./0001-tables.js";

/** Every version of the tables, in order. A released one is never changed: add another, and give changed functions new names. */
export const migrations: readonly Migration[] = [
  { version: 1, worksFrom: 1, name: "tables", sql: `${tables}\n${functions}` },
];
