import type { Qluster } from "qluster";
import type { Verdict } from "../moderation/moderate.js";
import type { Killed } from "./kill-worker.js";
import type { DemoMessage } from "./message.js";
import type { Posted, ShownReview } from "./shop-client.js";

/** What became of everything that was posted. */
export interface Account {
  readonly approved: number;
  readonly rejected: number;
  readonly failed: number;
  /** Reviews that took more than one attempt. */
  readonly retried: number;
  readonly labels: { readonly right: number; readonly known: number };
  /** Each a sentence about something that is not as it must be. Empty: nothing was lost. */
  readonly faults: readonly string[];
}

/** Holds what the shop shows against what the queue has on record. */
export async function takeAccount(
  queue: Qluster,
  messages: readonly DemoMessage[],
  posted: readonly Posted[],
  shown: readonly ShownReview[],
  killed: Killed | undefined,
): Promise<Account> {
  const reviews = new Map(shown.map((review) => [review.id, review]));
  const faults: string[] = [];
  let retried = 0;
  for (const { id, task } of posted) {
    const { attempts, fault } = await compare(queue, task, reviews.get(id));
    if (attempts > 1) retried += 1;
    if (fault !== undefined) faults.push(`Review ${id} ${fault}.`);
  }
  if (posted.length !== messages.length) faults.push(`${messages.length - posted.length} messages were not posted.`);
  faults.push(...(await killFaults(queue, killed)));

  const count = (state: string): number => shown.filter((review) => review.state === state).length;
  const states = { approved: count("approved"), rejected: count("rejected"), failed: count("failed") };
  return { ...states, retried, labels: labelsRight(messages, reviews), faults };
}

async function compare(
  queue: Qluster,
  task: string,
  review: ShownReview | undefined,
): Promise<{ attempts: number; fault: string | undefined }> {
  const finished = await queue.fetch<Verdict>(task);
  const attempts = finished?.attempts ?? 0;
  if (review === undefined) return { attempts, fault: "is gone" };
  if (finished === undefined) return { attempts, fault: "has no finished task" };
  const outcome = finished.success ? finished.result.verdict : "failed";
  if (review.state !== outcome) return { attempts, fault: `is ${review.state}, but its task says ${outcome}` };
  if (review.notice === undefined) return { attempts, fault: "was never told to its client" };
  return { attempts, fault: undefined };
}

/** The killed attempt must be on record, and its task must have gone on. */
async function killFaults(queue: Qluster, killed: Killed | undefined): Promise<string[]> {
  if (killed === undefined) return [];
  const endings = (await queue.attempts(killed.task)).map(({ ending }) => ending);
  const wentOn = endings.indexOf("died") < endings.lastIndexOf("succeeded");
  return wentOn ? [] : [`The task of the killed worker did not go on: its attempts are ${endings.join(", ")}.`];
}

function labelsRight(messages: readonly DemoMessage[], reviews: ReadonlyMap<string, ShownReview>): Account["labels"] {
  const known = messages.filter(({ spam }) => spam !== undefined);
  const right = known.filter(({ id, spam }) => (reviews.get(id)?.state === "rejected") === spam);
  return { right: right.length, known: known.length };
}
