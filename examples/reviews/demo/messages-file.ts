import { createReadStream } from "node:fs";
import { createInterface } from "node:readline/promises";
import type { DemoMessage } from "./message.js";

export interface MessagesFile {
  readonly messages: readonly DemoMessage[];
  /** One line for each line of the file that was skipped: its number, and why. */
  readonly skipped: readonly string[];
}

/** Reads one JSON object a line: `{"id": "1", "text": "…"}`, and `"spam": true` or `false` where it is known. */
export async function readMessagesFile(file: string): Promise<MessagesFile> {
  const messages = new Map<string, DemoMessage>();
  const skipped: string[] = [];
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    number += 1;
    if (line.trim() === "") continue;
    const read = readMessage(line);
    if (typeof read === "string") skipped.push(`line ${number}: ${read}`);
    else if (messages.has(read.id)) skipped.push(`line ${number}: the id "${read.id}" stood on an earlier line`);
    else messages.set(read.id, read);
  }
  return { messages: [...messages.values()], skipped };
}

/** @returns The message, or what is wrong with the line. */
function readMessage(line: string): DemoMessage | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return `not JSON: ${line.length > 40 ? `${line.slice(0, 40)}…` : line}`;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "not an object";
  const { id, text, spam } = value as Record<string, unknown>;
  if (typeof text !== "string") return '"text" is missing, or no text';
  if ((typeof id !== "string" && typeof id !== "number") || id === "") return '"id" is missing, or no text';
  return { id: String(id), text, spam: typeof spam === "boolean" ? spam : undefined };
}
