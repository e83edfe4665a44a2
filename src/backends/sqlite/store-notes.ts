import type { TaskNote, TaskNotes } from "../../contracts/store.js";
import type { Session } from "./project-file.js";

/** Notes of unknown tasks are dropped: nothing would ever remove them. */
const known = `
  (EXISTS (SELECT 1 FROM qluster_message WHERE project = ?1 AND id = ?2)
    OR EXISTS (SELECT 1 FROM qluster_task WHERE project = ?1 AND id = ?2))`;

const saveProgress = `
  INSERT INTO qluster_progress (project, id, at, done, total, note) SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE ${known}
  ON CONFLICT (project, id) DO UPDATE SET
    at = excluded.at, done = excluded.done, total = excluded.total, note = excluded.note
  WHERE excluded.at >= qluster_progress.at`;

const saveLine = `INSERT INTO qluster_log (project, id, at, text) SELECT ?1, ?2, ?3, ?4 WHERE ${known}`;

export function saveNotes(session: Session, notes: readonly TaskNote[]): void {
  for (const { id, at, progress, log } of notes) {
    if (progress !== undefined) {
      session.run(saveProgress, [session.project, id, Math.floor(at), progress.done, progress.total, progress.note]);
    }
    if (log !== undefined) session.run(saveLine, [session.project, id, Math.floor(at), log]);
  }
}

export function readNotes(session: Session, id: string): TaskNotes {
  const progress = session.first<{ done: number; total: number | null; note: string | null }>(
    "SELECT done, total, note FROM qluster_progress WHERE project = ? AND id = ?",
    [session.project, id],
  );
  const log = session.all<{ at: number; text: string }>(
    "SELECT at, text FROM qluster_log WHERE project = ? AND id = ? ORDER BY at, seq",
    [session.project, id],
  );
  return {
    progress: progress === undefined ? undefined : { done: progress.done, total: progress.total, note: progress.note },
    log: log.map(({ at, text }) => ({ at, text })),
  };
}
