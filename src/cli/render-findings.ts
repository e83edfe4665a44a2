import { counted } from "./counted.js";
import type { Finding } from "./doctor/finding.js";
import type { Style } from "./terminal.js";

const words = { ok: "ok", note: "note", wrong: "WRONG" } as const;
const colours = { ok: "green", note: "yellow", wrong: "red" } as const;

/** One line for each finding, its next step below it, and a last line that sums up. */
export function renderFindings(findings: readonly Finding[], style: Style): string[] {
  const width = Math.max(...findings.map(({ about }) => about.length));
  const indent = " ".repeat(width + 9);
  const lines = findings.flatMap(({ about, state, text, fix }) => [
    `${style(colours[state], words[state].padEnd(5))}  ${style("bold", about.padEnd(width))}  ${text.replaceAll("\n", `\n${indent}`)}`,
    ...(fix === undefined ? [] : [`${indent}${style("dim", "->")} ${fix}`]),
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
