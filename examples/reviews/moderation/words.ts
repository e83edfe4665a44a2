/** Texts can be books; what a reader sees first decides. In characters. */
const readAtMost = 8_000;

const link = /https?:\/\/([\w.-]+)\S*/g;
const word = /link:\S+|[\p{L}\p{N}$!'%-]{2,30}/gu;

/** The distinct words of a text, in lower case; of a link, its host. */
export function words(text: string): string[] {
  const read = text.slice(0, readAtMost).toLowerCase().replaceAll(link, " link:$1 ");
  const found = new Set(read.match(word));
  // The classifier counts in a plain object, where this word means something else.
  found.delete("constructor");
  return [...found];
}
