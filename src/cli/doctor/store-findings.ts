import type { SchemaStatus } from "../../contracts/backend.js";
import { skewText } from "../../core/clock-skew.js";
import { type Finding, note, ok, wrong } from "./finding.js";

/** An answer that takes longer is felt in every enqueue, in milliseconds. */
const slowMs = 100;

/** @param place - Product, version and place. @param roundTripMs - Of a call that does nothing. */
export function reachFinding(role: string, place: string, roundTripMs: number): Finding {
  const text = `${place}; answers in ${roundTripMs.toFixed(1)} ms`;
  if (roundTripMs <= slowMs) return ok(role, text);
  return note(role, text, "Each enqueue waits so long. Bring the application and its database closer together.");
}

/** @param embedded - Clusters and applications bring the tables up to date by themselves. */
export function schemaFinding({ version, wanted, worksFrom }: SchemaStatus, embedded: boolean): Finding[] {
  if (wanted === 0) return [];
  if (version < wanted) {
    const text = version === 0 ? "There are none yet." : `They are at version ${version}; this code wants ${wanted}.`;
    if (embedded) return [note("tables", `${text} The next cluster or task brings them up to date.`)];
    return [wrong("tables", text, "npx qluster migrate (npx qluster migrate sql shows what it would run)")];
  }
  if (wanted < worksFrom) {
    const text = `They are at version ${version}, made by a newer Qluster; this code knows version ${wanted} and can no longer use them.`;
    return [wrong("tables", text, "npm install qluster@latest")];
  }
  return [
    ok(
      "tables",
      `At version ${version}${version > wanted ? ", made by a newer Qluster, which this code can use" : ""}`,
    ),
  ];
}

/** @param aheadMs - As `clockSkew` says. */
export function clockFinding(aheadMs: number): Finding {
  if (aheadMs === 0) return ok("clock", "This machine and the database agree");
  return note(
    "clock",
    skewText(aheadMs),
    "Let both follow a time server. Tasks start by the database's clock; times on records are the workers'.",
  );
}
