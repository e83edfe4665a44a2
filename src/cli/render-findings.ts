import { counted } from "./counted.js";
import type { Finding } from "./doctor/finding.js";
import type { Style } from "./terminal.js";
import { wrap } from "./wrap.js";

const words = { ok: "ok", note: "note", wrong: "WRONG" } as const;
const colours = { ok: "green", note: "yellow", wrong: "red" } as const;

/**
 * One line for each finding, its next step below it, and a last line that sums up.
 *
 * @param columns - Of the terminal, if it is one.
 */
export function renderFindings(findings: readonly Finding[], style: Style, columns?: number): string[] {
  const width = Math.max(...findings.map(({ about }) => about.length));
  const before = width + 9;
  const indent = " ".repeat(before);
  const wrapped = (text: string): string =>
    text
      .split("\n")
      .map((line) => wrap(line, before, columns))
      .join(`\n${indent}`);
  const lines = findings.flatMap(({ about, state, text, fix }) => [
    `${style(colours[state], words[state].padEnd(5))}  ${style("bold", about.padEnd(width))}  ${wrapped(text)}`,
    ...(fix === undefined ? [] : [`${indent}${style("dim", "->")} ${wrap(fix, before + 3, columns)}`]),
  ]);
  return [...lines, "", summary(findings, style)];
}

function summary(findings: readonly Finding[], style: Style): string {
  const wrongs = findings.filter(({ state }) => state === "wrong").length;
  const notes = findings.filter(({ state }) => state === "note").length;
  const more = notes === 0 ? "" : `, ${counted(notes, "note")}`;
  if (wrongs === 0) return style("green", `All is well${more}.`);
  return style("red", `${counted(wrongs, "thing")} wrong${more}.`);
}
