/**
 * Takes apart the texts that a script has put together.
 *
 * @param lengths - Of each in bytes of UTF-8, as "3;14;15"; empty for no texts at all.
 */
export function unpacked(whole: string, lengths: string): string[] {
  if (lengths === "") return [];
  const sizes = lengths.split(";").map(Number);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  // As many bytes as characters: each of them is one.
  if (bytes === whole.length) return cut(sizes, (from, to) => whole.slice(from, to));
  const buffer = Buffer.from(whole);
  return cut(sizes, (from, to) => buffer.toString("utf8", from, to));
}

function cut(sizes: readonly number[], slice: (from: number, to: number) => string): string[] {
  let at = 0;
  return sizes.map((size) => slice(at, (at += size)));
}
