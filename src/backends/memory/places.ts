import { emptyProject, type ProjectState } from "./state.js";

interface Place {
  readonly projects: Map<string, ProjectState>;
  /** How many backends have it open. */
  opened: number;
}

const key = Symbol.for("qluster.memory.1");
const globals = globalThis as typeof globalThis & { [key]?: Map<string, Place> };

// Process-wide: loaders can give a module a copy of this one, and both must see the same tasks.
const places: Map<string, Place> = (globals[key] ??= new Map());

/** A project's state in a named place, and how to leave it. A place is forgotten when the last one has left. */
export function enterPlace(location: string, project: string): { state: ProjectState; leave: () => void } {
  let place = places.get(location);
  if (place === undefined) places.set(location, (place = { projects: new Map(), opened: 0 }));
  let state = place.projects.get(project);
  if (state === undefined) place.projects.set(project, (state = emptyProject()));
  place.opened += 1;

  const entered = place;
  return {
    state,
    leave() {
      entered.opened -= 1;
      if (entered.opened === 0) places.delete(location);
    },
  };
}
