export { currentTask, humanize, humanName, registerCodec } from "./client/core-exports.js";
export { AsyncTask } from "./client/async-task-object.js";
export { Chain } from "./client/chain-object.js";
export { createQluster } from "./client/create-qluster.js";
export type { CreateOptions } from "./client/create-qluster.js";
export type { ChainId, ChainLink, Checked, DefineLink, DefineParallel, Link, Previous } from "./client/chain-types.js";
export type { Element, Elements, IterElement, IterOptions } from "./client/iter-types.js";
export { Iter } from "./client/iter-object.js";
export { batchOf, chainOf, iterOf } from "./client/flow-target.js";
export type {
  DefineBatchTarget,
  DefineChainTarget,
  DefineIterTarget,
  FlowTarget,
  ScheduledBatchOptions,
  ScheduledIterOptions,
} from "./client/flow-target.js";
export { link, parallel, previous } from "./client/link.js";
export { Schedule, scheduled } from "./client/scheduled.js";
export type {
  CalendarRule,
  CronRule,
  Declared,
  DefineScheduled,
  EveryRule,
  MinutesRule,
  PlainRule,
  PreviewedRun,
  RuleOptions,
  ScheduleChanges,
  ScheduleRule,
  ScheduleRun,
  ScheduleVerb,
  ScheduleVerbs,
  SyncReport,
  WithArgs,
} from "./client/schedule-types.js";
export { signals } from "./client/public-signals.js";
export { ref, task } from "./client/task.js";
export type {
  AfterCommitVerbs,
  BatchOptions,
  ChainOptions,
  DefineRef,
  DefineTask,
  EnqueueVerbs,
  FetchedTask,
  FlowStatus,
  FlowVerbs,
  GroupOptions,
  NoSchema,
  Qluster,
  ReadOptions,
  RecordMethods,
  TaskStatus,
  TransactionOptions,
  TransactionVerbs,
} from "./client/types.js";
export type { LogFields, Logger } from "./contracts/logger.js";
export type {
  AttemptEnding,
  AttemptRecord,
  CancelAnswer,
  ClusterState,
  ClusterStatus,
  DeadReason,
  ErrorRecord,
  TaskNotes,
  TaskProgress,
  TaskState,
  WorkerStatus,
} from "./contracts/store.js";
export type { Codec } from "./core/codec.js";
export type { InferInput, InferOutput, SchemaIssue, SchemaResult, StandardSchema } from "./core/standard-schema.js";
export type {
  ArgsOf,
  Backoff,
  Batch,
  CheckedTask,
  CurrentTask,
  Duration,
  ErrorReporter,
  FailedTask,
  FinishedTask,
  Fn,
  Hook,
  KnownTask,
  OutgoingTask,
  ResultOf,
  Signal,
  SucceededTask,
  Target,
  TargetResult,
  Task,
  TaskError,
  TaskId,
  TaskName,
  TaskNames,
  TaskOptions,
  TaskRecord,
  TaskRef,
  Unique,
} from "./core/task-types.js";
export {
  ArgumentsError,
  ClientMissingError,
  ClosedError,
  ConfigError,
  EnvelopeError,
  FlowError,
  InvalidCodecError,
  InvalidDurationError,
  InvalidIdError,
  LeaseLostError,
  NoRetryError,
  OptionError,
  PreviousError,
  QlusterError,
  ResultExpiredError,
  ScheduleError,
  SchemaError,
  StoreDamagedError,
  StoreReplacedError,
  StoreUnavailableError,
  TaskAbortedError,
  TaskFailedError,
  TaskLoadError,
  TaskTimeoutError,
  TooLargeError,
  TooLongError,
  TooManyPendingError,
  TransactionError,
  UndecodableError,
  UnencodableError,
  UnknownFunctionError,
  UnknownTaskError,
} from "./errors.js";
export { defineConfig } from "./options/config.js";
export type {
  DatabaseOption,
  OwnBackend,
  PostgresClient,
  PostgresDatabase,
  PostgresPool,
  PostgresPoolOptions,
  RedisConnection,
  RedisConnectionOptions,
  RedisDatabase,
} from "./options/database-option.js";
export type { DjangoQ2Config, QlusterConfig, QueueOptions, Retention, Size } from "./options/config.js";
