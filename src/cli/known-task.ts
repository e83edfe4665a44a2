import type { Qluster } from "../client/types.js";
import { nearest } from "../core/names.js";
import { taskByName, taskNames } from "../core/registry.js";
import { UsageError } from "./usage-error.js";

export interface KnownTasks {
  /** How many clusters run. */
  readonly clusters: number;
  /** Why the modules of `tasks` could not be loaded; then only running clusters tell what there is. */
  readonly fault: unknown;
}

/**
 * Makes sure that somebody can run what is about to be queued. Loads the modules of `tasks`, as the application does, so
 * that the options and argument checks of `task()` hold here too.
 *
 * @throws {UsageError} with the nearest name when neither these modules nor a running cluster know one of `names`.
 */
export async function checkTasksKnown(
  names: readonly string[],
  q: Pick<Qluster, "clusters" | "loadTasks">,
): Promise<KnownTasks> {
  const fault = await q.loadTasks().then(
    () => undefined,
    (error: unknown) => error,
  );
  const clusters = await q.clusters();
  const advertised = clusters.flatMap((cluster) => cluster.tasks);
  const unknown = names.find((name) => taskByName(name) === undefined && !advertised.includes(name));
  if (unknown === undefined) return { clusters: clusters.length, fault };
  if (fault !== undefined) throw fault;
  throw new UsageError(unknownTask(unknown, [...new Set([...advertised, ...taskNames()])].sort()));
}

const shownNames = 10;

function unknownTask(name: string, known: readonly string[]): string {
  const head = `No task is named "${name}".`;
  if (known.length === 0)
    return `${head} There is none at all: no cluster runs, and the configuration has no \`tasks\`. Set tasks: ["tasks/**/*.ts"].`;
  const near = nearest(name, known);
  if (near !== undefined) return `${head} Did you mean "${near}"?`;
  const more = known.length > shownNames ? `, and ${known.length - shownNames} more` : "";
  return `${head} There are: ${known.slice(0, shownNames).join(", ")}${more}.`;
}
