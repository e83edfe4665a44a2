import type { Flows, NewFlow } from "../contracts/flows.js";
import type { Store } from "../contracts/store.js";
import { sealTask } from "../core/envelope.js";
import { flowHooks } from "../core/flow-end.js";
import type { TaskHeader } from "../core/task-header.js";
import { FlowError } from "../errors.js";
import type { ResolvedConfig } from "../options/resolved.js";
import type { Connection } from "./connection.js";
import type { Sender } from "./sender.js";
import { untilWritten } from "./until-written.js";

/** How long a flow may take, in milliseconds, when nothing else was said: a week. */
export const defaultExpiresMs: number = 7 * 24 * 60 * 60 * 1_000;

/** What a flow is opened with, beside what follows from the configuration. */
export type FlowParts = Omit<NewFlow, "queue" | "envelope" | "carryBytes" | "name" | "group"> & {
  readonly header: Omit<TaskHeader, "v" | "id" | "func">;
  /** Kept with the record, as its arguments. */
  readonly args: readonly unknown[];
};

/** What chains, iterables and batches of one client need. */
export class FlowDesk {
  readonly sender: Sender;
  readonly config: ResolvedConfig;
  readonly #connection: Connection;

  constructor(connection: Connection, sender: Sender, config: ResolvedConfig) {
    this.#connection = connection;
    this.sender = sender;
    this.config = config;
  }

  /** @throws {ClosedError} */
  check(): void {
    this.#connection.check();
  }

  async store(): Promise<Store> {
    return (await this.#connection.draining()).store;
  }

  /** @throws {FlowError} when the database keeps none. */
  async flows(): Promise<Flows> {
    return flowsOf(await this.store());
  }

  /** A flow as the store takes it, its envelope sealed. */
  async newFlow(parts: FlowParts): Promise<NewFlow> {
    return this.sealed(parts, await this.store());
  }

  /** The same for a store that is open. */
  sealed({ header, args, ...parts }: FlowParts, { capabilities }: Pick<Store, "capabilities">): NewFlow {
    const { host } = this.sender;
    const { id, func } = parts;
    const { name = null, group = null } = header;
    return {
      ...parts,
      name,
      group,
      queue: host.queue,
      envelope: sealTask(host.keys, host.queue, { v: 1, id, func, ...header }, args, host.seal),
      carryBytes: Math.min(this.config.maxResultBytes, capabilities.maxResultBytes),
    };
  }

  /** Calls a write of {@link Flows}, and tries again while the store is away. */
  async write<T>(work: (flows: Flows) => Promise<T>): Promise<T> {
    return await untilWritten(async () => await work(await this.flows()), this.config.enqueueTimeoutMs);
  }

  /** Runs in this process what is called at the end of a flow that has ended. */
  async runHooksHere(id: string): Promise<void> {
    const flows = await this.flows();
    const [flow] = await flows.find([id]);
    if (flow === undefined || flow.state === "open") return;
    const { state, error, endedAt } = flow;
    const members = flow.kind === "batch" ? [] : await flows.outcomes(id, 0, Number.MAX_SAFE_INTEGER);
    const end = { state, error, at: endedAt ?? 0, members: () => members };
    for (const hook of flowHooks(flow, end)) await this.sender.runHookHere(hook);
  }
}

export function flowsOf({ flows }: Store): Flows {
  if (flows !== undefined) return flows;
  throw new FlowError(
    "The database of this project keeps no chains, iterables and batches. Use one that does, such as sqlite:<file>.",
  );
}
