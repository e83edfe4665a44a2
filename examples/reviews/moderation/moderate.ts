import type { Model } from "./model.js";
import { brokenRules } from "./rules.js";

export interface Verdict {
  readonly verdict: "approved" | "rejected";
  /** Why it was rejected. */
  readonly reasons: readonly string[];
}

/** From so much on, a text is taken for spam. */
const spamFrom = 0.5;

/** Judges a text: the rules first, then what the classifier has learned. */
export function moderate(text: string, model: Model): Verdict {
  const reasons = brokenRules(text);
  const spam = model.spamProbability(text);
  if (spam >= spamFrom) reasons.push(`reads like spam (${Math.round(spam * 100)} %)`);
  return { verdict: reasons.length === 0 ? "approved" : "rejected", reasons };
}
