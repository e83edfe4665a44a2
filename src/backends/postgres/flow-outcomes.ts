import type { MemberOutcome } from "../../contracts/flows.js";
import { outcomeFrom, type OutcomeRow } from "../sql/flow-row.js";
import { rowsOf } from "./array-literal.js";
import type { Queries } from "./connections.js";
import { rangeParameters, type PlaceRange } from "./flow-rows.js";
import { statement } from "./statement.js";

/** Outcomes that one statement looks at. */
const page = 1_000;

/**
 * Of outcomes that do not fit any more, nothing is sent but their sizes. `$4`: the bytes that there is room for. `$5`: the
 * first one is sent whatever its size.
 */
const readSql = statement(
  "read-outcomes",
  `SELECT place, run, state, upto, CASE WHEN fits THEN result END AS result, CASE WHEN fits THEN error END AS error, fits
   FROM (
     SELECT *, upto <= $4::bigint OR ($5::boolean AND nth = 1) AS fits
     FROM (
       SELECT m.place, m.run, m.state, m.result, m.error, row_number() OVER w AS nth,
         (sum(octet_length(coalesce(m.result, m.error, ''))) OVER w)::bigint AS upto
       FROM {flow_member} m
       WHERE m.flow = (SELECT seq FROM {flow} WHERE project = $1 AND id = $2) AND m.place >= $3 AND m.state IS NOT NULL
       WINDOW w AS (ORDER BY m.place ROWS UNBOUNDED PRECEDING) ORDER BY m.place LIMIT ${page}) AS sized) AS fitting
   ORDER BY place`,
);

interface SizedRow extends OutcomeRow {
  /** Bytes of this one and those before it, in this answer. */
  readonly upto: number;
  readonly fits: boolean;
}

/** Outcomes by place, as many as fit; `isAll`: there are no more. */
export async function readOutcomes(
  database: Queries,
  flow: string,
  from: number,
  maxBytes: number,
): Promise<{ readonly outcomes: MemberOutcome[]; readonly isAll: boolean }> {
  const outcomes: MemberOutcome[] = [];
  let left = maxBytes;
  let at = from;
  for (;;) {
    const rows = await database.all<SizedRow>(readSql, [flow, at, left, outcomes.length === 0]);
    const fitting = rows.filter(({ fits }) => fits);
    outcomes.push(...fitting.map(outcomeFrom));
    left -= rows.at(-1)?.upto ?? 0;
    if (left < 0 || fitting.length < rows.length) return { outcomes, isAll: false };
    if (rows.length < page) return { outcomes, isAll: true };
    at = (rows.at(-1)?.place ?? 0) + 1;
  }
}

const betweenSql = statement(
  "outcomes-between",
  `SELECT m.flow, m.place, m.run, m.state, m.result, m.error
   FROM ${rowsOf(2, "bigint", "int", "int")} AS r (flow, since, until)
     JOIN {flow_member} m ON m.flow = r.flow AND m.place >= r.since AND m.place < r.until
   WHERE m.state IS NOT NULL AND $1::int IS NOT NULL ORDER BY m.flow, m.place`,
);

/** Those of some ranges of places, by the number of their flow. */
export async function outcomesBetween(
  database: Queries,
  ranges: readonly PlaceRange[],
): Promise<ReadonlyMap<number, MemberOutcome[]>> {
  const byFlow = new Map<number, MemberOutcome[]>();
  if (ranges.length === 0) return byFlow;
  for (const row of await database.all<OutcomeRow & { flow: number }>(betweenSql, rangeParameters(ranges))) {
    const known = byFlow.get(row.flow);
    if (known === undefined) byFlow.set(row.flow, [outcomeFrom(row)]);
    else known.push(outcomeFrom(row));
  }
  return byFlow;
}
