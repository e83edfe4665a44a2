// What a figure has to reach. `times`: of the other system's figure; for times to wait, at most so many times as long.
const onPostgres = (label, figure, against, times) => ({ stores: ["postgres"], label, figure, against, times });
const onRedis = (label, figure, against, times) => ({ stores: ["redis", "redis-aof"], label, figure, against, times });
/** @param node - Major version; on both without it. */
const onSqlite = (label, against, times, node) => ({
  stores: ["sqlite"],
  label,
  figure: "rate",
  against: [against],
  times,
  node,
});
const idle = "enqueue to function entered, idle";

const goals = [
  onSqlite("drain 10,000", "plainjob", 3, 20),
  onSqlite("drain 10,000", "plainjob", 3.5, 24),
  onSqlite("drain 10,000", "bare-sqlite", 0.5),
  onSqlite("enqueue, bulk", "plainjob", 0.6, 24),
  onSqlite("enqueue, one by one", "plainjob", 0.6),
  onSqlite("enqueue, 64 at once", "plainjob", 1.5),
  onPostgres("drain 10,000", "rate", ["graphile-worker"], 1.0),
  onPostgres("drain 30,000", "rate", ["graphile-worker"], 1.3),
  onPostgres("drain 30,000, isolation none", "rate", ["graphile-worker"], 1.4),
  onPostgres("drain 10,000", "rate", ["pg-boss"], 1.7),
  onPostgres("drain 30,000", "rate", ["pg-boss"], 1.7),
  onPostgres("drain 10,000", "rate", ["bare"], 0.5),
  onPostgres("drain 30,000", "rate", ["bare"], 0.5),
  onPostgres("enqueue, 64 at once", "rate", ["graphile-worker", "pg-boss", "pg-boss-notify"], 10),
  onPostgres("enqueue, one by one", "rate", ["graphile-worker", "pg-boss"], 1.3),
  onPostgres("enqueue, bulk", "rate", ["graphile-worker", "pg-boss"], 1.0),
  onPostgres(idle, "p50", ["graphile-worker", "pg-boss", "pg-boss-notify", "bullmq-postgres"], 1.0),
  onPostgres(idle, "p99", ["graphile-worker", "pg-boss", "pg-boss-notify", "bullmq-postgres"], 1.0),
  onRedis("drain 10,000", "rate", ["bullmq"], 3),
  onRedis("drain 30,000", "rate", ["bullmq"], 3),
  onRedis("drain 10,000", "rate", ["bee-queue"], 2.5),
  onRedis("drain 30,000", "rate", ["bee-queue"], 2.5),
  onRedis("enqueue, one by one", "rate", ["bullmq"], 1.5),
  onRedis("enqueue, 64 at once", "rate", ["bullmq"], 2),
  onRedis("enqueue, bulk", "rate", ["bullmq"], 3),
  onRedis(idle, "p50", ["bullmq"], 1.2),
  onRedis(idle, "p50", ["bee-queue"], 2),
  onRedis(idle, "p99", ["bullmq", "bee-queue"], 1.0),
];

/** Of Qluster's own figure, whoever else is measured. */
const limits = [
  { stores: ["sqlite"], label: idle, figure: "p50", most: 5 },
  { stores: ["sqlite"], label: idle, figure: "p99", most: 25 },
  { stores: ["sqlite"], label: "command to first task done", figure: "ms", most: 1_000 },
  { stores: ["sqlite"], label: "idle cluster", figure: "cpuPercent", most: 1 },
  { stores: ["sqlite"], label: "idle cluster", figure: "supervisorMb", most: 90 },
  { stores: ["sqlite"], label: "idle cluster", figure: "workerMb", most: 70 },
  { stores: ["postgres"], label: "enqueue, 64 at once", figure: "p99", most: 20 },
  { stores: ["sqlite", "postgres", "redis"], label: "slot to function entered, idle", figure: "p99", most: 250 },
  { stores: ["sqlite"], label: "function left to result in hand, idle", figure: "p50", most: 15 },
  { stores: ["postgres", "redis"], label: "function left to result in hand, idle", figure: "p50", most: 5 },
  {
    stores: ["postgres", "redis"],
    label: "asyncIter of 100,000 elements, in the time of as many tasks",
    figure: "times",
    most: 1.3,
  },
  {
    stores: ["sqlite", "postgres", "redis"],
    label: "chain of 100 links, in 100 times the latency of a task",
    figure: "times",
    most: 1.2,
  },
  { stores: ["postgres", "redis", "redis-aof"], label: "retry after kill -9", figure: "last", most: 20 },
  { stores: ["postgres", "redis", "redis-aof"], label: "retry after a clean stop", figure: "last", most: 1 },
];

/** The goal for a ratio, if there is one. */
export function goalOf({ store, node, label, figure, against }) {
  return goals.find(
    (goal) =>
      goal.stores.includes(store) &&
      goal.label === label &&
      goal.figure === figure &&
      goal.against.includes(against) &&
      (goal.node === undefined || goal.node === Number(node)),
  )?.times;
}

/** The most that Qluster's own figure may be, if there is such a limit. */
export function limitOf({ store, label, figure }) {
  return limits.find((one) => one.stores.includes(store) && one.label === label && one.figure === figure)?.most;
}
