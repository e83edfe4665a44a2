import type { ErrorRecord, FinalState, NewTask } from "./store.js";

/**
 * Keeps flows: tasks that belong together. A *chain* runs its members one after the other, an *iterable* collects the
 * results of one function over many arguments, a *batch* waits for so many tasks.
 *
 * All three are one thing. A flow has *steps*, a step has *members*, and each member has a *place*, counted from 0 over all
 * steps. A member is a task that names its flow ({@link NewTask.member}). The write that stores the final outcome of a
 * member (`finish`, `saveFinished`, `cancel`) also tells its flow, in that same write: the outcome is kept at the member's
 * place, and counted, if there is none yet; when all members of a step have one, the next step is queued; after the last
 * step, or after a step with a failure in a flow that stops, the flow ends. `advanceFlow` (core) has these rules, and is
 * the same for every store. What a store adds is that they are applied under a lock of the flow, or are tried again when
 * somebody was faster.
 *
 * What follows from it, and every store keeps:
 * - Each place is counted once, however often a member is delivered, by whichever cluster.
 * - A step is queued once, and a flow ends once, also when the last members finish at the same moment in two clusters.
 * - It does not depend on `keep`: a success that leaves no record of its own still fills its place.
 * - Every id is derived from the flow's (`memberId`, `deriveId`), so a write that is repeated changes nothing.
 *
 * The end of a flow is one write too: its record among the finished tasks ({@link Store.finished}, with the flow's id and
 * its kind; its `parent` is what `parentOfFlow` (core) says), and what `flowHooks` (core) makes of it. An ended flow changes no more: late outcomes of its members are
 * theirs alone. It is removed with its record.
 *
 * {@link Store.get} shows an open flow as a running task. {@link Store.cancel} ends an open flow, with every member that
 * waits, and tells the clusters that hold the others. {@link Store.clean} ends flows whose time is up: as failed, with an
 * `ExpiredError`, and what waits of them as expired; and it keeps the members of open flows.
 */
export interface Flows {
  /**
   * Stores a new flow, and queues its first step in the same write. A batch of no tasks ends at once. A known id changes nothing.
   *
   * @param members - Of a chain: all of them, sealed, in the order of their places. Those of later steps lie with the flow
   *   until it is their turn. Others join by `submit`.
   */
  open(flow: NewFlow, members: readonly NewTask[]): Promise<void>;

  /** Says how many members an iterable has, once all were submitted. It ends here if they have all ended. Harmless when repeated. */
  close(id: string, size: number): Promise<void>;

  /**
   * Opens a chain again that has failed, was cancelled or expired, at its current step: forgets its record and the outcomes
   * that are no success in that step, and queues these members instead, with the results of the step before attached.
   *
   * @param again - The members of the current step without a success, sealed anew under the next `run`.
   * @param expiresMs - The time it has from now.
   * @returns `false`: it is open, succeeded or unknown, or is at another `run` already, and nothing was changed.
   */
  resume(id: string, run: number, again: readonly NewTask[], expiresMs: number | null): Promise<boolean>;

  /** Flows in any state; unknown ids are left out. */
  find(ids: readonly string[]): Promise<StoredFlow[]>;

  /** The members of a chain as they were sealed, by place. Empty for other flows. */
  members(id: string): Promise<NewTask[]>;

  /**
   * Outcomes in the order of their places, from `from` on: at least one if there is any, and no more than about `maxBytes`
   * of results. Places without an outcome are left out. Of a batch without results.
   */
  outcomes(id: string, from: number, maxBytes: number): Promise<MemberOutcome[]>;
}

export type FlowKind = "chain" | "iter" | "batch";

/** Where a task stands in a flow. */
export interface Membership {
  readonly flow: string;
  /**
   * Of a batch: `null`, and the store counts. A submit that would make more members than the batch has places, or that is
   * for a flow that has ended, rejects with `FlowError`, and stores nothing. A known id of a batch joins once, also when
   * it has left no record.
   */
  readonly place: number | null;
  /** 0, and one more each time that a chain was resumed. */
  readonly run: number;
}

export interface NewFlow {
  readonly id: string;
  readonly kind: FlowKind;
  /** Where what follows from its end is queued. */
  readonly queue: string;
  /** Sealed: what the flow is, and which tasks to call at its end. */
  readonly envelope: string;
  readonly func: string;
  readonly name: string | null;
  /** The label of its members. The record of an iterable is a member of the group itself; those of chains and batches are not. */
  readonly group: string | null;
  /** How many members each step has. Of an iterable: empty until {@link Flows.close}. */
  readonly steps: readonly number[];
  /** A step with a failure is the last one. */
  readonly stops: boolean;
  /** Failed when it has not ended after so many milliseconds. */
  readonly expiresMs: number | null;
  /** `false`: nothing of it is queued, neither members nor what follows; who opened it runs everything (sync mode). */
  readonly queued: boolean;
  /** The most bytes of results that its end carries to the tasks which are called then. */
  readonly carryBytes: number;
}

export interface StoredFlow extends Omit<NewFlow, "expiresMs"> {
  readonly state: "open" | Exclude<FinalState, "expired">;
  /** The step whose members run; of an ended flow, the last one that did. */
  readonly step: number;
  /** Places with an outcome, and those among them that are no success. */
  readonly done: number;
  readonly failed: number;
  /** The first place that is no success. */
  readonly failedAt: number | null;
  /** Why it did not succeed. */
  readonly error: ErrorRecord | null;
  /** How often it was resumed. */
  readonly run: number;
  readonly openedAt: number;
  readonly expiresAt: number | null;
  readonly endedAt: number | null;
}

/** How one member ended. */
export interface MemberOutcome {
  readonly place: number;
  readonly run: number;
  readonly state: FinalState;
  /** As its worker sealed it. */
  readonly result: string | null;
  readonly error: ErrorRecord | null;
}
