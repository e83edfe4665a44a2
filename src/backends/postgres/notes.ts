import type { TaskNote, TaskNotes } from "../../contracts/store.js";
import { numberArray, textArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import { statement } from "./statement.js";

/** Notes of unknown tasks are dropped: nothing would ever remove them. */
const known = `
  (EXISTS (SELECT FROM {message} m WHERE m.project = $1 AND m.id = n.id)
    OR EXISTS (SELECT FROM {task} t WHERE t.project = $1 AND t.id = n.id))`;

/** Of several notes on one task in a batch, the last of the newest counts: one statement changes a row once. */
const saveProgress = statement(
  "save-progress",
  `INSERT INTO {progress} AS p (project, id, at, done, total, note)
   SELECT DISTINCT ON (n.id) $1, n.id, n.at, n.done, n.total, n.note
   FROM unnest($2::text[], $3::bigint[], $4::float8[], $5::float8[], $6::text[]) WITH ORDINALITY
     AS n (id, at, done, total, note, place)
   WHERE ${known} ORDER BY n.id, n.at DESC, n.place DESC
   ON CONFLICT (project, id) DO UPDATE SET
     at = excluded.at, done = excluded.done, total = excluded.total, note = excluded.note
   WHERE excluded.at >= p.at`,
);

const saveLines = statement(
  "save-lines",
  `INSERT INTO {log} (project, id, at, text)
   SELECT $1, n.id, n.at, n.text FROM unnest($2::text[], $3::bigint[], $4::text[]) WITH ORDINALITY AS n (id, at, text, place)
   WHERE ${known} ORDER BY n.place`,
);

/** Inside a transaction. */
export async function saveNotes(database: Queries, notes: readonly TaskNote[]): Promise<void> {
  const progress = notes.flatMap((note) => (note.progress === undefined ? [] : [{ ...note, progress: note.progress }]));
  const lines = notes.flatMap((note) => (note.log === undefined ? [] : [{ ...note, log: note.log }]));
  if (progress.length > 0) {
    await database.run(saveProgress, [
      textArray(progress.map(({ id }) => id)),
      numberArray(progress.map(({ at }) => Math.floor(at))),
      numberArray(progress.map((note) => note.progress.done)),
      numberArray(progress.map((note) => note.progress.total)),
      textArray(progress.map((note) => (note.progress.note === null ? null : storable(note.progress.note)))),
    ]);
  }
  if (lines.length > 0) {
    await database.run(saveLines, [
      textArray(lines.map(({ id }) => id)),
      numberArray(lines.map(({ at }) => Math.floor(at))),
      textArray(lines.map(({ log }) => storable(log))),
    ]);
  }
}

/** Postgres keeps every character but one. */
function storable(text: string): string {
  return text.replaceAll("\0", "\uFFFD");
}

const readProgress = statement(
  "read-progress",
  "SELECT done, total, note FROM {progress} WHERE project = $1 AND id = $2",
);
const readLines = statement("read-lines", "SELECT at, text FROM {log} WHERE project = $1 AND id = $2 ORDER BY at, seq");

export async function readNotes(database: Queries, id: string): Promise<TaskNotes> {
  const progress = await database.first<{ done: number; total: number | null; note: string | null }>(readProgress, [
    id,
  ]);
  const log = await database.all<{ at: number; text: string }>(readLines, [id]);
  return { progress, log };
}
