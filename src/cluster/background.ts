import type { Logger } from "../contracts/logger.js";
import type { Store } from "../contracts/store.js";
import type { ResolvedConfig } from "../options/resolved.js";
import { startClockWatch } from "./clock-watch.js";
import { startHousekeeping } from "./housekeeping.js";
import type { Outage } from "./outage.js";
import { Scheduler } from "./scheduler.js";

/** What a cluster does beside running tasks: it fires schedules, removes what is old, and compares clocks. Call the result to end it. */
export function startBackground(store: Store, config: ResolvedConfig, logger: Logger, outage: Outage): () => void {
  const endHousekeeping = startHousekeeping(store, config.retention, logger);
  const endClockWatch = startClockWatch(store, logger);
  const scheduler = config.scheduler
    ? new Scheduler({ store, logger, outage, clusters: clustersOf(config) })
    : undefined;
  scheduler?.start();
  return () => {
    endHousekeeping();
    endClockWatch();
    scheduler?.stop();
  };
}

/** Schedules without a cluster belong to the default one, which has the project's name. */
function clustersOf({ name, clusterName }: ResolvedConfig): readonly (string | null)[] {
  return clusterName === name ? [clusterName, null] : [clusterName];
}
