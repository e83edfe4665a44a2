/** A small JSON payload, as most tasks have. */
export function payload(index) {
  return { customer: 10_000 + index, mail: "someone@example.com", lines: [index, index + 1], express: index % 2 === 0 };
}

/** `tasks` of them, in slices of 1,000: what one call of a bulk enqueue gets. The last one leaves a mark, where one is given. */
export function* slices(tasks, mark) {
  for (let at = 0; at < tasks; at += 1_000) {
    const slice = Array.from({ length: Math.min(1_000, tasks - at) }, (_, index) => payload(at + index));
    if (mark !== undefined && at + slice.length === tasks) slice.at(-1).mark = mark;
    yield slice;
  }
}
