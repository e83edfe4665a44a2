import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { parseProcessorList, processorsOf } from "../core/processors.js";
import type { Logger } from "../contracts/logger.js";
import type { OpenChannel } from "./channel.js";
import { openProcess } from "./process-channel.js";

/** The numbers of the processors that this process may use; none where the system does not say. */
function available(): number[] {
  try {
    const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    return parseProcessorList(list ?? "");
  } catch {
    return [];
  }
}

function hasTaskset(): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, "taskset")));
}

/**
 * Workers in processes, each held to so many processors. Where that cannot be done, they run everywhere, and a warning says so.
 * Node has no call for it: the worker is started by `taskset`, which becomes the worker.
 */
export function pinnedProcesses(perWorker: number, logger: Logger): OpenChannel {
  const processors = available();
  if (processors.length === 0 || !hasTaskset()) {
    logger.warn(`cpuAffinity: ${perWorker} has no effect: it needs Linux and the program taskset (util-linux).`);
    return openProcess;
  }
  const taken = new Set<number>();
  return (options, events) => {
    // A worker that takes the place of another one gets its processors.
    let place = 0;
    while (taken.has(place)) place += 1;
    const channel = openProcess(
      { ...options, processors: processorsOf(processors, perWorker, place) },
      {
        ...events,
        exit: (exit) => {
          taken.delete(place);
          events.exit(exit);
        },
      },
    );
    taken.add(place);
    return channel;
  };
}
