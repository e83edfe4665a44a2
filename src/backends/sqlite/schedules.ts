import type {
  DueQuery,
  DueSchedules,
  ScheduleCounts,
  Schedules,
  ScheduleQuery,
  StoredSchedule,
} from "../../contracts/schedules.js";
import { storedSchedule, type ScheduleRow } from "../sql/schedule-row.js";
import type { ProjectFile, Session } from "./project-file.js";
import { changeSchedules, insertSchedule } from "./schedule-changes.js";
import { runsOf } from "./schedule-runs.js";

/** Schedules in the tables `qluster_schedule` and `qluster_schedule_run`. */
export function sqliteSchedules(file: ProjectFile): Schedules {
  return {
    insert: (schedule) => announced(file.write((session) => insertSchedule(session, schedule))),
    change: async (changes) =>
      changes.length === 0 ? [] : await announced(file.write((session) => changeSchedules(session, changes))),
    find: (idOrName) => file.read((session) => find(session, idOrName)),
    list: (query) => file.read((session) => list(session, query)),
    due: (query) => file.read((session) => due(session, query)),
    runs: (id, query) => file.read((session) => runsOf(session, id, query)),
    counts: (cap) => file.read((session) => counts(session, cap)),
    watch: (changed) => file.wakeUp.listen(changed),
  };

  async function announced<T>(written: Promise<T>): Promise<T> {
    const value = await written;
    file.wakeUp.changed();
    return value;
  }
}

const select = "SELECT * FROM qluster_schedule WHERE project = ?";

function find(session: Session, idOrName: string): StoredSchedule | undefined {
  const row =
    session.first<ScheduleRow>(`${select} AND id = ?`, [session.project, idOrName]) ??
    session.first<ScheduleRow>(`${select} AND name = ?`, [session.project, idOrName]);
  return row === undefined ? undefined : storedSchedule(row);
}

function list(session: Session, { after = "", limit, declaredBy }: ScheduleQuery): StoredSchedule[] {
  const rows = session.all<ScheduleRow>(`${select} AND id > ? AND (? IS NULL OR declared_by = ?) ORDER BY id LIMIT ?`, [
    session.project,
    after,
    declaredBy ?? null,
    declaredBy ?? null,
    limit,
  ]);
  return rows.map(storedSchedule);
}

/** One look for each cluster's name, so that the index gives the order. */
function due(session: Session, { clusters, limit }: DueQuery): DueSchedules {
  const { project, now } = session;
  const names = clusters.map((cluster) => cluster ?? "");
  const rows = names.flatMap((cluster) =>
    session.all<ScheduleRow>(`${select} AND cluster = ? AND due_at <= ? ORDER BY due_at LIMIT ?`, [
      project,
      cluster,
      now,
      limit,
    ]),
  );
  const first = rows.sort((a, b) => (a.due_at ?? 0) - (b.due_at ?? 0)).slice(0, limit);
  const isAll = rows.length < limit;
  return { now, schedules: first.map(storedSchedule), nextInMs: isAll ? waitFor(session, names) : 0 };
}

function waitFor(session: Session, clusters: readonly string[]): number | null {
  const nearest = clusters.map((cluster) => nearestDue(session, cluster) ?? Infinity);
  const wait = Math.min(...nearest) - session.now;
  return wait === Infinity ? null : wait;
}

function nearestDue(session: Session, cluster: string): number | null {
  const row = session.first<{ due_at: number | null }>(
    "SELECT min(due_at) AS due_at FROM qluster_schedule WHERE project = ? AND cluster = ? AND due_at > ?",
    [session.project, cluster, session.now],
  );
  return row?.due_at ?? null;
}

function counts(session: Session, cap: number): ScheduleCounts {
  const count = (condition: string): number =>
    session.first<{ n: number }>(
      `SELECT count(*) AS n FROM (SELECT 1 FROM qluster_schedule WHERE project = ?${condition} LIMIT ?)`,
      [session.project, cap + 1],
    )?.n ?? 0;
  const clusters = session.all<{ cluster: string }>(
    "SELECT DISTINCT cluster FROM qluster_schedule WHERE project = ? AND due_at IS NOT NULL",
    [session.project],
  );
  const nearest = clusters.map(({ cluster }) => firstDue(session, cluster) ?? Infinity);
  const nextRun = Math.min(...nearest);
  return {
    all: count(""),
    paused: count(" AND paused = 1"),
    broken: count(" AND fault IS NOT NULL"),
    nextRun: nextRun === Infinity ? null : nextRun,
  };
}

function firstDue(session: Session, cluster: string): number | null {
  const row = session.first<{ due_at: number | null }>(
    "SELECT min(due_at) AS due_at FROM qluster_schedule WHERE project = ? AND cluster = ? AND due_at IS NOT NULL",
    [session.project, cluster],
  );
  return row?.due_at ?? null;
}
