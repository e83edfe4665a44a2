/** The results as Markdown, for the terminal and the README. */
export function markdown(results) {
  const parts = [
    `Measured ${results.measured.slice(0, 10)} on ${results.cpu}; medians of ${results.rounds} rounds, in which the systems take turns.`,
    ratioTable(results.nodes),
    singleTable(results.nodes),
  ];
  return parts.join("\n\n");
}

function ratioTable(nodes) {
  const rows = nodes.flatMap((node) => [
    ...node.drain.map((drain) => ratioRow(node, `drain ${count(drain.tasks)} tasks`, drain)),
    ...node.enqueue.map((enqueue) => ratioRow(node, `enqueue, ${enqueue.kind}`, enqueue)),
  ]);
  return table(
    [
      "Node",
      "",
      "Qluster /s",
      "plainjob /s",
      "bare loop /s",
      "of plainjob",
      "of plainjob, 2 processes",
      "of the bare loop",
    ],
    rows,
  );
}

function ratioRow({ version, driver }, what, { rates, ratios }) {
  const rate = (name) => (rates[name] === undefined ? "" : count(Math.round(rates[name].median)));
  const times = (name) => (ratios[name] === undefined ? "" : `${ratios[name].toFixed(2)} ×`);
  const place = `${version.slice(1).split(".")[0]} ${driver}`;
  return [
    place,
    what,
    rate("qluster"),
    rate("plainjob"),
    rate("bare"),
    times("plainjob"),
    times("plainjobProcesses"),
    times("bare"),
  ];
}

function singleTable(nodes) {
  const rows = nodes.flatMap((node) => [
    row(node, "enqueue to function entered, idle cluster, p50", node.latency && ms(node.latency.p50)),
    row(node, "the same, p99", node.latency && ms(node.latency.p99)),
    row(node, "idle cluster, share of one core", node.idle && `${node.idle.cpuPercent.toFixed(2)} %`),
    row(node, "command to first task done", node.start && ms(node.start.median)),
    row(node, "memory of the supervisor, idle", node.idle && mb(node.idle.supervisorMb)),
    row(node, "memory of a worker, idle", node.idle && mb(node.idle.workerMb)),
    row(node, `supervisor over ${count(node.flat?.tasks ?? 0)} tasks`, node.flat && trend(node.flat.supervisor)),
    row(node, `largest worker over ${count(node.flat?.tasks ?? 0)} tasks`, node.flat && trend(node.flat.worker)),
  ]);
  return table(
    ["Node", "", ""],
    rows.filter((cells) => cells[2] !== undefined),
  );
}

function row({ version, driver }, what, value) {
  return [`${version.slice(1).split(".")[0]} ${driver}`, what, value];
}

function trend({ early, late, most }) {
  return `${mb(early)} in the second quarter, ${mb(late)} in the last, ${mb(most)} at most`;
}

const ms = (value) => `${value.toFixed(1)} ms`;
const mb = (value) => `${value.toFixed(0)} MB`;
const count = (value) => value.toLocaleString("en-US");

function table(head, rows) {
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function line(cells) {
  return `| ${cells.join(" | ")} |`;
}
