import type { FromWorker, ToWorker } from "../contracts/frames.js";

/** The line between a worker and its supervisor, whatever carries it: a pipe, a message port, or nothing at all. */
export interface WorkerPort {
  readonly send: (frame: FromWorker) => void;
  readonly onFrame: (listener: (frame: ToWorker) => void) => void;
  /** Shows what the worker is doing, where the system has a place for it. */
  readonly setTitle: (title: string) => void;
  /** Bytes of memory that this worker is answerable for. */
  readonly rssBytes: () => number;
  /** Leaves, once everything that was sent has been handed over. */
  readonly leave: () => void;
}
