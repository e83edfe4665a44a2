import { quote } from "../core/quote.js";

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
