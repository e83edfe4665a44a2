/** Gathers what is wrong with a configuration, so that one start tells of every fault. */
export class Problems {
  readonly lines: string[] = [];

  /**
   * @param path - Where it stands: `retention.successes`, `QLUSTER_WORKERS`.
   * @param expects - What belongs there, as the end of "expected …".
   * @param advice - The next step, as whole sentences.
   */
  wrong(path: string, value: unknown, expects: string, advice = ""): void {
    const got = value === undefined ? "it is not given" : `it is ${quote(value)}`;
    this.add(`${path}: ${got}; expected ${expects}.${advice === "" ? "" : ` ${advice}`}`);
  }

  add(line: string): void {
    this.lines.push(line);
  }
}

/** A value for a message: short, and on one line. */
export function quote(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol" || typeof value === "bigint") return `a ${typeof value} (${String(value)})`;
  if (typeof value !== "object" || value === null) return String(value);
  return cut(safeJson(value) ?? (Array.isArray(value) ? "an array" : "an object"));
}

function safeJson(value: object): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function cut(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
