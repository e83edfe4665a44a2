import type { Logger } from "../contracts/logger.js";
import { markBytes, parseMarks, sharedMarks } from "../core/start-marks.js";
import type { ErrorReporter } from "../core/task-types.js";
import { bootWorker } from "../worker/boot.js";
import { monotonic } from "../worker/monotonic.js";
import type { ToWorker } from "../contracts/frames.js";
import type { OpenChannel } from "./channel.js";

/** No worker at all: tasks run in the cluster's own process. Code that blocks cannot be stopped there. */
export function inlineChannel(logger: Logger, reporters: readonly ErrorReporter[]): OpenChannel {
  return ({ places }, events) => {
    const marks = new Uint8Array(places * markBytes);
    let listener: ((frame: ToWorker) => void) | undefined;
    let left = false;
    const leave = (signal: string | null): void => {
      if (left) return;
      left = true;
      events.exit({ code: 0, signal });
    };
    bootWorker({
      port: {
        send: (frame) => {
          if (!left) events.frame(frame);
        },
        onFrame: (handler) => (listener = handler),
        setTitle: () => {},
        rssBytes: () => process.memoryUsage.rss(),
        leave: () => leave(null),
      },
      openMarks: () => sharedMarks(marks),
      now: Date.now,
      monotonic,
      reporters,
      logger,
    });
    return {
      pid: process.pid,
      send: (frame) => listener?.(frame),
      marks: () => parseMarks(marks, places),
      beat: () => {},
      kill: () => leave("terminated"),
      rssBytes: () => process.memoryUsage.rss(),
    };
  };
}
