// The results as Markdown, for the terminal and the README.
import { goalOf, limitOf } from "./goals.mjs";
import { casesOf, measureNames } from "./measures.mjs";

/** @param {Record<string, object>} stores - What was measured on each. */
export function markdown(stores) {
  return Object.entries(stores)
    .map(([store, results]) => section(store, results))
    .join("\n\n");
}

function section(store, { setting, measured, cpu, rounds, rows, failed, settings }) {
  const head = `**${setting}.** Measured ${measured.slice(0, 10)} on ${cpu}; medians of ${rounds} rounds, in which two systems take turns.`;
  const parts = [head];
  const pairs = rows.filter(({ names }) => names.length === 2);
  const single = rows.filter(({ names }) => names.length === 1);
  if (pairs.length > 0) parts.push(pairTable(store, pairs));
  if (single.length > 0) parts.push(singleTable(store, single));
  const chosen = Object.entries(settings ?? {}).map(([name, found]) => `${name} ${JSON.stringify(found)}`);
  if (chosen.length > 0) parts.push(`Settings found fastest: ${chosen.map((one) => `\`${one}\``).join(", ")}.`);
  if (failed.length > 0) parts.push(`**Failed:** ${failed.join("; ")}.`);
  return parts.join("\n\n");
}

function pairTable(store, rows) {
  const head = ["Node", "", "", "", "against", "", "ratio", "least to most", "goal", ""];
  return table(
    head,
    rows.flatMap((row) => row.figures.map((found) => pairCells(store, row, found))),
  );
}

function pairCells(store, { node, label, names }, { figure, values, ratio }) {
  const [own, other] = names;
  const goal = own === "qluster" ? goalOf({ store, node, label, figure, against: other }) : undefined;
  const { more } = figureOf(figure);
  const unit = unitOf(figure);
  return [
    node,
    named(label, figure),
    own,
    shown(values[0].median, unit),
    other,
    shown(values[1].median, unit),
    `${ratio.median.toFixed(2)} ×`,
    `${ratio.least.toFixed(2)} to ${ratio.most.toFixed(2)}`,
    goal === undefined ? "" : `${more ? "≥" : "≤"} ${goal} ×`,
    goal === undefined ? "" : verdict(ratio.median, goal, more),
  ];
}

function singleTable(store, rows) {
  const cells = rows.flatMap(({ node, label, names: [name], figures }) =>
    figures.map(({ figure, values: [value] }) => {
      const unit = unitOf(figure);
      const most = name === "qluster" ? limitOf({ store, label, figure }) : undefined;
      const spread = `${shown(value.least, unit)} to ${shown(value.most, unit)}`;
      return [
        node,
        named(label, figure),
        name,
        shown(value.median, unit),
        spread,
        most === undefined ? "" : `≤ ${shown(most, unit)}`,
        most === undefined ? "" : verdict(value.median, most, false),
      ];
    }),
  );
  return table(["Node", "", "", "", "least to most", "goal", ""], cells);
}

function verdict(value, goal, more) {
  const isMet = more ? value >= goal : value <= goal;
  return isMet ? "met" : `missed by ${(Math.abs(value / goal - 1) * 100).toFixed(0)} %`;
}

function named(label, figure) {
  return ["rate", "ms", "cpuPercent"].includes(figure) ? label : `${label}, ${figure}`;
}

/** The unit of a figure does not depend on the size of a run, which its label does. */
function figureOf(name) {
  const figures = measureNames.flatMap((measure) => casesOf(measure, "full").flatMap((one) => one.figures));
  return figures.find((figure) => figure.name === name) ?? {};
}

function unitOf(name) {
  return figureOf(name).unit ?? "";
}

function shown(value, unit) {
  const digits = unit === "/s" || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const text = value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return unit === "/s" ? `${text}/s` : `${text} ${unit.split(",")[0]}`;
}

function table(head, rows) {
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function line(cells) {
  return `| ${cells.join(" | ")} |`;
}
