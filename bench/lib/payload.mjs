/** A small JSON payload, as most tasks have. */
export function payload(index) {
  return { customer: 10_000 + index, mail: "someone@example.com", lines: [index, index + 1], express: index % 2 === 0 };
}
