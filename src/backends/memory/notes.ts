import type { TaskNote, TaskNotes } from "../../contracts/store.js";
import type { Notes, ProjectState } from "./state.js";
import { isKnown } from "./submit.js";

export function addNotes(state: ProjectState, added: readonly TaskNote[]): void {
  for (const note of added) if (isKnown(state, note.id)) addNote(notesFor(state, note.id), note);
  if (added.length > 0) state.bell.ring();
}

export function readNotes(state: ProjectState, id: string): TaskNotes {
  const notes = state.notes.get(id);
  return { progress: notes?.progress?.progress, log: [...(notes?.log ?? [])].sort((a, b) => a.at - b.at) };
}

function notesFor(state: ProjectState, id: string): Notes {
  let notes = state.notes.get(id);
  if (notes === undefined) state.notes.set(id, (notes = { progress: undefined, log: [] }));
  return notes;
}

function addNote(notes: Notes, { at, progress, log }: TaskNote): void {
  // Reports can overtake each other between a worker and the store.
  if (progress !== undefined && at >= (notes.progress?.at ?? -Infinity))
    notes.progress = { at, progress: { ...progress } };
  if (log !== undefined) notes.log.push({ at, text: log });
}
