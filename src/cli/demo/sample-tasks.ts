import { createHash } from "node:crypto";
import { currentTask, NoRetryError, type Task, task } from "../../index.js";

// What the demo runs, written as an application would write its tasks.

/** Real work for a few milliseconds. */
export const resizeImage: Task<(name: string, width: number) => { url: string }> = task(
  "demo.resizeImage",
  (name: string, width: number): { url: string } => {
    let digest = name;
    for (let round = 0; round < 2_000; round++) digest = createHash("sha256").update(digest).digest("hex");
    return { url: `/images/${digest.slice(0, 8)}-${width}.webp` };
  },
);

/** A service that is busy at first: fails once, and goes well when it is tried again. */
export const chargeCard: Task<(order: number) => string> = task(
  "demo.chargeCard",
  (order: number): string => {
    if (currentTask()?.attempt === 1) throw new Error(`The card service is busy (503), order ${order}.`);
    return `order ${order} paid`;
  },
  { attempts: 3, backoff: { base: "200ms" } },
);

/** Bad input: no attempt can end otherwise, so it says so. */
export const sendMail: Task<(address: string) => string> = task("demo.sendMail", (address: string): string => {
  if (!address.includes("@")) throw new NoRetryError(`There is no address "${address}".`);
  return "sent";
});

/** A bug that would block a worker for good. */
export const loopForEver: Task<() => never> = task(
  "demo.loopForEver",
  (): never => {
    for (;;) {
      // Only its cluster can end this.
    }
  },
  { timeout: "1s", attempts: 1 },
);
