// What is measured. Each case is one verb of the systems, with its options and the figures that it gives.
import { fits, recovers } from "./systems.mjs";

const rate = { name: "rate", unit: "/s", more: true };
const p99 = { name: "p99", unit: "ms", more: false };
const p50 = { name: "p50", unit: "ms", more: false };
const times = { name: "times", unit: "×", more: false };
const seconds = (name) => ({ name, unit: "s", more: false });

const sizes = {
  full: {
    drain: [10_000, 30_000],
    bulk: 20_000,
    single: 5_000,
    samples: 200,
    slots: 120,
    elements: 100_000,
    idle: 20,
    flat: 200_000,
  },
  quick: { drain: [3_000], bulk: 3_000, single: 500, samples: 30, slots: 20, elements: 10_000, idle: 5, flat: 20_000 },
  smoke: { drain: [50], bulk: 50, single: 50, samples: 5, slots: 3, elements: 200, idle: 1, flat: 20_000 },
};

/**
 * The cases of a measure.
 *
 * @param {"full" | "quick" | "smoke"} scale
 * @returns {{ label: string, verb: string, options: object, own?: object, figures: object[], against: (name: string, store: string) => boolean }[]}
 * `own`: options for Qluster alone. `against`: who else is measured.
 */
export function casesOf(measure, scale) {
  return measures[measure](sizes[scale]).map((one) => ({
    options: {},
    against: (name, store) => fits(name, store, measure),
    ...one,
  }));
}

const nobody = () => false;

const measures = {
  drain: ({ drain }) => [
    ...drain.map((tasks) => ({ label: `drain ${count(tasks)}`, verb: "drain", options: { tasks }, figures: [rate] })),
    {
      label: `drain ${count(drain.at(-1))}, isolation none`,
      verb: "drain",
      options: { tasks: drain.at(-1) },
      own: { isolation: "none" },
      figures: [rate],
      against: (name) => name === "graphile-worker",
    },
  ],
  enqueue: ({ bulk, single }) => [
    { label: "enqueue, 64 at once", verb: "concurrent", options: { tasks: single }, figures: [rate, p99] },
    { label: "enqueue, one by one", verb: "single", options: { tasks: single }, figures: [rate] },
    { label: "enqueue, bulk", verb: "bulk", options: { tasks: bulk }, figures: [rate] },
  ],
  latency: ({ samples }) => [
    { label: "enqueue to function entered, idle", verb: "latency", options: { samples }, figures: [p50, p99] },
    {
      label: "function left to result in hand, idle",
      verb: "answer",
      options: { samples },
      figures: [p50, p99],
      against: nobody,
    },
  ],
  composition: ({ elements }) => [
    {
      label: `asyncIter of ${count(elements)} elements, in the time of as many tasks`,
      verb: "iter",
      options: { elements },
      figures: [times],
      against: nobody,
    },
    {
      label: "chain of 100 links, in 100 times the latency of a task",
      verb: "chain",
      options: { links: 100 },
      figures: [times],
      against: nobody,
    },
  ],
  schedule: ({ slots }) => [
    {
      label: "slot to function entered, idle",
      verb: "schedule",
      options: { slots },
      figures: [p50, p99],
      against: nobody,
    },
  ],
  recovery: () => [
    {
      label: "retry after kill -9",
      verb: "recovery",
      figures: [seconds("first"), seconds("last")],
      against: (name, store) => recovers.includes(name) && fits(name, store, "recovery"),
    },
    {
      label: "retry after a clean stop",
      verb: "handover",
      figures: [seconds("first"), seconds("last")],
      against: nobody,
    },
  ],
  start: () => [
    { label: "command to first task done", verb: "start", figures: [{ name: "ms", unit: "ms" }], against: nobody },
  ],
  idle: ({ idle }) => [
    {
      label: "idle cluster",
      verb: "idle",
      options: { seconds: idle },
      figures: [
        { name: "cpuPercent", unit: "% of a core" },
        { name: "supervisorMb", unit: "MB, supervisor" },
        { name: "workerMb", unit: "MB, a worker" },
      ],
      against: nobody,
    },
  ],
  flat: ({ flat }) => [
    {
      label: `over ${count(flat)} tasks`,
      verb: "flat",
      options: { tasks: flat },
      figures: ["supervisor", "worker"].flatMap((who) => [
        { name: `${who}Early`, unit: `MB, ${who}, second quarter` },
        { name: `${who}Late`, unit: `MB, ${who}, last quarter` },
        { name: `${who}Most`, unit: `MB, ${who}, at most` },
      ]),
      against: nobody,
    },
  ],
};

/** By the name that `--measures` takes. */
export const measureNames = Object.keys(measures);

/** How often: what takes a minute, and varies little, is not measured as often as the rest. */
export function roundsOf(measure, rounds) {
  if (measure === "schedule" || measure === "idle" || measure === "flat") return 1;
  return ["recovery", "composition"].includes(measure) ? Math.min(rounds, 5) : rounds;
}

function count(value) {
  return value.toLocaleString("en-US");
}
