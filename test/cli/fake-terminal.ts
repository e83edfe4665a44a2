import { plain, type Terminal } from "../../src/cli/terminal.js";

export interface FakeTerminal extends Terminal {
  /** What was printed to standard output, line by line. */
  readonly printed: string[];
  /** Everything written to standard error. */
  readonly noted: () => string;
}

/** A terminal that keeps what it is given. */
export function fakeTerminal(options: { readonly interactive?: boolean; readonly width?: number } = {}): FakeTerminal {
  const printed: string[] = [];
  let notes = "";
  return {
    printed,
    noted: () => notes,
    print: (line) => void printed.push(line),
    note: (line) => void (notes += `${line}\n`),
    writeNote: (text) => void (notes += text),
    interactive: options.interactive ?? false,
    width: () => options.width ?? 80,
    columns: () => undefined,
    coloured: false,
    style: plain,
  };
}
