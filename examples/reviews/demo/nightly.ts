import { link, previous, ref, type Qluster } from "qluster";

type Tasks = typeof import("../tasks.js");

/** What the night found. */
export interface Night {
  readonly checked: number;
  /** Where the report was sent. */
  readonly sentTo: string;
}

/** A batch over all new reviews, then a chain: prepare the report, send it. */
export async function runNight(queue: Qluster, reviewIds: readonly string[]): Promise<Night> {
  const batch = await queue.batch("nightly", { size: reviewIds.length });
  const check = ref<Tasks["checkReview"]>("tasks.checkReview", { batch });
  await queue.asyncTasks(reviewIds.map((id) => link(check, id)));
  await queue.result(batch.id, { wait: "5m" });
  const checks = (await queue.resultGroup<Tasks["checkReview"]>("nightly")) ?? [];

  const doubtful = checks.filter((one) => one === "doubtful").length;
  const chain = await queue.asyncChain([
    link(ref<Tasks["prepareReport"]>("tasks.prepareReport"), checks.length, doubtful),
    link(ref<Tasks["sendReport"]>("tasks.sendReport"), previous()),
  ]);
  const [, sentTo = "nobody"] = (await queue.resultGroup(chain, { wait: "1m" })) ?? [];
  return { checked: checks.length, sentTo };
}
