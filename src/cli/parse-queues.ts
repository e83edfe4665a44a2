import { UsageError } from "./usage-error.js";

const shape = 'Write --queues=media, --queues=default,media or, with weights, --queues="default:3,media:1".';

/**
 * Reads the flag `--queues`: names separated by commas, each with a weight after a colon (or `=`, as in `QLUSTER_QUEUES`) where
 * one shall count for more.
 *
 * @returns Weights by name, in the order given; 1 where none is given.
 * @throws {UsageError} for an empty or repeated name, and for a weight that is no whole number from 1.
 */
export function parseQueues(text: string): Record<string, number> {
  const queues = new Map<string, number>();
  for (const part of text.split(",")) {
    const { name, weight } = readQueue(part.trim(), text);
    if (queues.has(name)) throw new UsageError(`--queues names "${name}" twice, in "${text}". ${shape}`);
    queues.set(name, weight);
  }
  return Object.fromEntries(queues);
}

function readQueue(part: string, text: string): { readonly name: string; readonly weight: number } {
  const colon = Math.max(part.lastIndexOf(":"), part.lastIndexOf("="));
  const name = (colon === -1 ? part : part.slice(0, colon)).trim();
  const weight = colon === -1 ? "1" : part.slice(colon + 1).trim();
  if (name === "") throw new UsageError(`--queues has an empty name, in "${text}". ${shape}`);
  if (!/^[1-9]\d{0,5}$/.test(weight))
    throw new UsageError(
      `--queues gives "${name}" the weight "${weight}", but a weight is a whole number from 1. ${shape}`,
    );
  return { name, weight: Number(weight) };
}
