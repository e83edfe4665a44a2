/**
 * Breaks a text between words where a line is full, and starts the next one under the text.
 *
 * @param indent - How many columns stand before the text.
 * @param columns - Of the terminal; `undefined` when nobody looks, and nothing is broken then, so that programs find whole lines.
 */
export function wrap(text: string, indent: number, columns: number | undefined): string {
  if (columns === undefined || columns - indent < leastRoom) return text;
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > columns - indent) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join(`\n${" ".repeat(indent)}`);
}

/** Narrower columns of text are harder to read than lines that the terminal breaks. */
const leastRoom = 30;
