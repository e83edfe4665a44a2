import type { NewTask } from "../../contracts/store.js";
import type { Session } from "./project-file.js";
import { submitInside } from "./store-submit.js";

/** Queues what follows from a flow. The caller does not know of it, so with a broker elsewhere others send it, at once. */
export function submitUnsent(session: Session, tasks: readonly NewTask[]): void {
  const { project, now, outbox } = session;
  if (outbox === null) return void submitInside(session, tasks);
  const unsent: Session = {
    project,
    now,
    outbox: { ...outbox, handMs: 0 },
    run: (sql, parameters) => session.run(sql, parameters),
    all: (sql, parameters) => session.all(sql, parameters),
    first: (sql, parameters) => session.first(sql, parameters),
  };
  submitInside(unsent, tasks);
}
