const most = 60;

/** A value as an error message shows it: short, and on one line. */
export function quote(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > most ? `${value.slice(0, most - 3)}...` : value);
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol" || typeof value === "bigint") return `a ${typeof value} (${String(value)})`;
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Date) return `a Date (${String(value)})`;
  return jsonOf(value) ?? (Array.isArray(value) ? "an array" : "an object");
}

function jsonOf(value: object): string | undefined {
  try {
    const json = JSON.stringify(value);
    return json.length > most ? `${json.slice(0, most - 3)}...` : json;
  } catch {
    // It has a circle, or a toJSON that throws or gives nothing.
    return undefined;
  }
}
