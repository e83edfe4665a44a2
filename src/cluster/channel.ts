import type { FromWorker, ToWorker } from "../contracts/frames.js";
import type { StartMark } from "../core/start-marks.js";

/** How a worker ended, as far as the system tells. */
export interface WorkerExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** What the supervisor holds of one worker, whatever its isolation. */
export interface WorkerChannel {
  /** The process id; for a thread, the cluster's own. */
  readonly pid: number;
  readonly send: (frame: ToWorker) => void;
  /** What each of its places started last. Still answers when the worker is dead. */
  readonly marks: () => readonly StartMark[];
  /** Says that the supervisor lives. */
  readonly beat: () => void;
  /** Ends it without asking. What it started itself is ended with it. */
  readonly kill: () => void;
  readonly rssBytes: () => number;
}

export interface ChannelEvents {
  readonly frame: (frame: FromWorker) => void;
  /** Once, and last. */
  readonly exit: (exit: WorkerExit) => void;
}

export type OpenChannel = (options: ChannelOptions, events: ChannelEvents) => WorkerChannel;

export interface ChannelOptions {
  readonly places: number;
  /** Lead a process group, so that what tasks start dies with the worker. */
  readonly ownGroup: boolean;
  /** Run on these processors only. Processes on Linux; others run everywhere. */
  readonly processors?: readonly number[] | undefined;
}
