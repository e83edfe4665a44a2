import type { FromWorker, Job, JobReport, ToWorker } from "../contracts/frames.js";

/*
 * Frames as they go through a pipe. What comes for every task goes as a row: its keys would be a third of the text, and
 * both ends read and write them again for each task.
 */

type JobRow = readonly [
  index: number,
  id: string,
  queue: string,
  envelope: string,
  attempt: number,
  queuedAt: number,
  starts: number,
  consumer: string,
  receipt: Job["receipt"],
];

type SuccessRow = readonly [index: number, startedAt: number | null, stoppedAt: number, result: string];

/** A success as a row; every other report as it is. */
type ReportRow = SuccessRow | JobReport;

export type PackedToWorker =
  | Exclude<ToWorker, { readonly t: "run" }>
  | { readonly t: "run"; readonly jobs: readonly JobRow[] };

export type PackedFromWorker =
  | Exclude<FromWorker, { readonly t: "done" }>
  | { readonly t: "done"; readonly reports: readonly ReportRow[] };

export function packToWorker(frame: ToWorker): PackedToWorker {
  return frame.t === "run" ? { t: "run", jobs: frame.jobs.map(jobRow) } : frame;
}

export function unpackToWorker(frame: PackedToWorker): ToWorker {
  return frame.t === "run" ? { t: "run", jobs: frame.jobs.map(jobOf) } : frame;
}

export function packFromWorker(frame: FromWorker): PackedFromWorker {
  return frame.t === "done" ? { t: "done", reports: frame.reports.map(reportRow) } : frame;
}

export function unpackFromWorker(frame: PackedFromWorker): FromWorker {
  return frame.t === "done" ? { t: "done", reports: frame.reports.map(reportOf) } : frame;
}

function jobRow({ index, id, queue, envelope, attempt, queuedAt, starts, consumer, receipt }: Job): JobRow {
  return [index, id, queue, envelope, attempt, queuedAt, starts, consumer, receipt];
}

function jobOf([index, id, queue, envelope, attempt, queuedAt, starts, consumer, receipt]: JobRow): Job {
  return { index, id, queue, envelope, attempt, queuedAt, starts, consumer, receipt };
}

function reportRow(report: JobReport): ReportRow {
  const { index, startedAt, stoppedAt, ending, completed } = report;
  if (ending.as !== "succeeded" || completed !== undefined) return report;
  return [index, startedAt, stoppedAt, ending.result];
}

function reportOf(row: ReportRow): JobReport {
  if (!isRow(row)) return row;
  const [index, startedAt, stoppedAt, result] = row;
  return { index, startedAt, stoppedAt, ending: { as: "succeeded", result } };
}

function isRow(row: ReportRow): row is SuccessRow {
  return Array.isArray(row);
}
