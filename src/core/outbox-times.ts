import type { OutboxOptions } from "../contracts/outbox.js";

/** When a row that the broker does not have yet is to be sent by others than its writer. */
export function timeToSend(options: OutboxOptions, now: number, dueAt: number): number {
  return Math.max(now + options.handMs, nearTo(options, now, dueAt));
}

/** When a row whose message the broker has is to be sent again. A row that is due too far from now is not in the broker. */
export function timeToResend(options: OutboxOptions, now: number, dueAt: number): number {
  const near = nearTo(options, now, dueAt);
  return near > now ? near : Math.max(now, dueAt) + options.resendMs;
}

/** When the broker can keep what is left of the delay. */
function nearTo({ aheadMs }: OutboxOptions, now: number, dueAt: number): number {
  return Math.max(now, dueAt - aheadMs);
}
