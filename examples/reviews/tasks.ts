import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import type { FinishedTask } from "qluster";
import { loadModel, trainModel as train, type LabelledMessage, type Training } from "./moderation/model.js";
import { moderate, type Verdict } from "./moderation/moderate.js";
import { modelFile, reportFile, shopFile } from "./places.js";
import { openReviews, type ReviewCounts } from "./shop/reviews.js";

// One connection for the life of the worker.
const reviews = await openReviews(shopFile);

/** Judges one review and stores the verdict. Harmless when it runs twice. */
export async function moderateReview(reviewId: string): Promise<Verdict> {
  const review = reviews.find(reviewId);
  if (review === undefined) throw new Error(`There is no review "${reviewId}".`);
  return reviews.judge(reviewId, moderate(review.text, loadModel(modelFile)));
}

/** The hook of `moderateReview`: tells the client how it ended, also when there is no verdict. */
export async function notifyClient(finished: FinishedTask<Verdict>): Promise<void> {
  const reviewId = String(finished.args[0]);
  if (!finished.success) reviews.notify(reviewId, "We could not look at your message. Please write to us.", true);
  else if (finished.result.verdict === "approved") reviews.notify(reviewId, "Your review is online. Thank you.", false);
  else reviews.notify(reviewId, `We did not publish your message: ${finished.result.reasons.join(", ")}.`, false);
}

/** Looks at a review once more, at night: would it be judged the same today? Changes nothing. */
export async function checkReview(reviewId: string): Promise<"stands" | "doubtful"> {
  const review = reviews.find(reviewId);
  if (review === undefined) throw new Error(`There is no review "${reviewId}".`);
  return moderate(review.text, loadModel(modelFile)).verdict === review.state ? "stands" : "doubtful";
}

/** The first link of the report chain. */
export async function prepareReport(checked: number, doubtful: number): Promise<string> {
  const { approved, rejected, failed } = reviews.counts();
  return `${checked} reviews checked, ${doubtful} doubtful; ${approved} approved, ${rejected} rejected, ${failed} failed in all.\n`;
}

/** The second one gets what the first returned. Here a file stands for the mail. */
export async function sendReport(report: string): Promise<string> {
  await writeFile(reportFile, report);
  return reportFile;
}

/** How the shop stands, every morning. Its result is the report. */
export async function dailyReport(): Promise<ReviewCounts> {
  return reviews.counts();
}

/** Forgets what was not published, every evening. Resolves to how many texts that were. */
export async function nightlyCleanup(): Promise<number> {
  return reviews.forgetRejected();
}

/** Learns from messages that people have judged, one JSON object a line: `{"text": "…", "spam": true}`. */
export async function trainModel(messagesFile: string): Promise<Training> {
  const messages: LabelledMessage[] = [];
  const lines = createInterface({ input: createReadStream(messagesFile), crlfDelay: Infinity });
  for await (const line of lines) messages.push(JSON.parse(line) as LabelledMessage);
  return train(messages, modelFile);
}
