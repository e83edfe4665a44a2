import type { Durability } from "../contracts/backend.js";

/** One sentence for people: what would be missing after a power cut. */
export function powerCutSentence(facts: {
  /** Other processes see the same tasks; otherwise they live in the memory of one process. */
  readonly shared: boolean;
  readonly durability: Durability;
}): string {
  if (!facts.shared) return "A power cut, or the end of this process, loses every task: they live in its memory.";
  if (facts.durability === "power") return "A power cut loses nothing that was confirmed.";
  return (
    "A power cut may take back the last writes before it; the death of any process loses nothing " +
    '(durability: "power" keeps these too, at the cost of speed).'
  );
}
