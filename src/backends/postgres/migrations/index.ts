import type { Migration } from "../../sql/migration.js";
import { functions } from "./0001-functions.js";
import { tables } from "./0001-tables.js";
import { submitInside } from "./0002-submit-inside.js";
import { schedules } from "./0003-schedules.js";
import { outbox } from "./0004-outbox.js";
import { flows } from "./0005-flows.js";
import { durableClaims } from "./0006-durable-claims.js";
import { flowMoves } from "./0007-flow-moves.js";
import { cheapClaims } from "./0008-cheap-claims.js";
import { steadyPlans } from "./0009-steady-plans.js";

/** Every version of the tables, in order. A released one is never changed: add another, and give changed functions new names. */
export const migrations: readonly Migration[] = [
  { version: 1, worksFrom: 1, name: "tables", sql: `${tables}\n${functions}` },
  { version: 2, worksFrom: 1, name: "submit inside", sql: submitInside },
  { version: 3, worksFrom: 1, name: "schedules", sql: schedules },
  { version: 4, worksFrom: 1, name: "outbox", sql: outbox },
  { version: 5, worksFrom: 1, name: "flows", sql: flows },
  { version: 6, worksFrom: 1, name: "durable claims", sql: durableClaims },
  { version: 7, worksFrom: 1, name: "flow moves", sql: flowMoves },
  { version: 8, worksFrom: 1, name: "cheap claims", sql: cheapClaims },
  { version: 9, worksFrom: 1, name: "steady plans", sql: steadyPlans },
];
