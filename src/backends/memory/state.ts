import type { ClusterAddress, RunningTask } from "../../contracts/broker.js";
import type { OutboxOptions } from "../../contracts/outbox.js";
import type { NewRun, StoredSchedule } from "../../contracts/schedules.js";
import type {
  AttemptRecord,
  ClusterOrder,
  ClusterStatus,
  MinuteRollup,
  StoredTask,
  TaskKind,
  TaskProgress,
  TaskState,
  UniqueKey,
} from "../../contracts/store.js";
import type { Membership } from "../../contracts/flows.js";
import { bell, type Bell } from "./bell.js";
import type { FlowState } from "./flow-state.js";
import type { Line } from "./line.js";

/** All that one project has in one place. Every change is made in one turn of the loop, so each one is atomic. */
export interface ProjectState {
  /** Unfinished tasks, waiting and held, by id. */
  readonly messages: Map<string, Message>;
  /** What waits, by queue. */
  readonly lines: Map<string, Line>;
  readonly consumers: Map<string, ConsumerState>;
  /** Finished tasks by id, in the order in which they finished. */
  readonly finished: Map<string, StoredTask>;
  readonly attempts: Map<string, AttemptRecord[]>;
  readonly notes: Map<string, Notes>;
  readonly unique: Map<string, KeyHolder>;
  readonly flows: Map<string, FlowState>;
  /** The flows that finished tasks were members of. */
  readonly memberOf: Map<string, string>;
  /** By id. */
  readonly schedules: Map<string, StoredSchedule>;
  /** By the schedule's id, oldest first. */
  readonly runs: Map<string, NewRun[]>;
  /** How scheduled tasks have ended whose own record is gone, by their ids. */
  readonly outcomes: Map<string, TaskState>;
  readonly rollups: Map<string, Writable<MinuteRollup>>;
  readonly beats: Map<string, { readonly status: ClusterStatus; readonly until: number }>;
  readonly orders: Map<string, ClusterOrder[]>;
  readonly entries: Map<string, CacheRecord>;
  readonly sets: Map<string, MemberSet>;
  /** Rings after every change. */
  readonly bell: Bell;
  /** Counts up, for enqueue order, receipts, consumers and versions. */
  sequence: number;
  /** Since somebody opened the place with an outbox: a broker elsewhere carries the tasks. */
  outbox: OutboxOptions | null;
}

export type Writable<T> = { -readonly [K in keyof T]: T[K] };

export interface Message {
  /** Enqueue order, and the receipt. */
  readonly seq: number;
  readonly id: string;
  readonly queue: string;
  readonly envelope: string;
  readonly func: string;
  readonly name: string | null;
  readonly group: string | null;
  readonly kind: TaskKind;
  readonly parent: string | null;
  readonly priority: number;
  readonly queuedAt: number;
  dueAt: number;
  readonly expiresAt: number | null;
  readonly unique: UniqueKey | null;
  readonly member: Membership | undefined;
  /** The consumer that has it. */
  holder: string | null;
  deliveries: number;
  attempts: number;
  starts: number;
  /** When it is to be sent to a broker elsewhere; `null` while it is held, and without an outbox. */
  sendAt: number | null;
}

export interface ConsumerState {
  readonly id: string;
  readonly leaseMs: number;
  readonly cluster: ClusterAddress;
  /** When its lease may be ended by somebody else. */
  expiresAt: number;
  /** Since when it has always renewed in time. */
  unbrokenSince: number;
  running: readonly RunningTask[];
}

export interface KeyHolder {
  readonly id: string;
  readonly freeAt: number;
}

export interface Notes {
  progress: { readonly at: number; readonly progress: TaskProgress } | undefined;
  readonly log: { readonly at: number; readonly text: string }[];
}

export interface CacheRecord {
  readonly value: string;
  readonly version: string;
  readonly until: number;
}

export interface MemberSet {
  readonly members: Set<string>;
  readonly until: number;
}

export function emptyProject(): ProjectState {
  return {
    messages: new Map(),
    lines: new Map(),
    consumers: new Map(),
    finished: new Map(),
    attempts: new Map(),
    notes: new Map(),
    unique: new Map(),
    flows: new Map(),
    memberOf: new Map(),
    schedules: new Map(),
    runs: new Map(),
    outcomes: new Map(),
    rollups: new Map(),
    beats: new Map(),
    orders: new Map(),
    entries: new Map(),
    sets: new Map(),
    bell: bell(),
    sequence: 0,
    outbox: null,
  };
}
