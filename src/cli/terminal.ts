import { styleText } from "node:util";

/** The two streams of a command, and what may be done with them. Handed in, so that tests need no process. */
export interface Terminal {
  /** For what was asked for: a line of text, or JSON. */
  readonly print: (line: string) => void;
  /** For everything said on the way. */
  readonly note: (line: string) => void;
  /** Unfinished lines on the stream of notes, for progress bars. */
  readonly writeNote: (text: string) => void;
  /** Somebody is looking at the notes: a bar may be drawn over and over. Never in CI. */
  readonly interactive: boolean;
  /** Columns of the notes' terminal. */
  readonly width: () => number;
  /** Columns of standard output, when that is a terminal. */
  readonly columns: () => number | undefined;
  /** Standard output takes colours. */
  readonly coloured: boolean;
  readonly style: Style;
}

type Colour = "red" | "green" | "yellow" | "cyan" | "dim" | "bold";
/** Colours a text that is printed to standard output, or leaves it as it is. */
export type Style = (colour: Colour, text: string) => string;

/** The terminal of this process. Colours follow `NO_COLOR`, `FORCE_COLOR` and the kind of stream; `CI` stops animation. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  // A reader that went away (`qluster info | head -1`) is no reason to die with a stack trace.
  for (const stream of [stdout, stderr]) stream.on("error", ignore);
  const coloured = stdout.isTTY && stdout.hasColors();
  return {
    print: (line) => void stdout.write(`${line}\n`),
    note: (line) => void stderr.write(`${line}\n`),
    writeNote: (text) => void stderr.write(text),
    interactive: stderr.isTTY && !isSet(env["CI"]) && env["TERM"] !== "dumb",
    width: () => (stderr.isTTY ? stderr.columns : 80),
    columns: () => (stdout.isTTY ? stdout.columns : undefined),
    coloured,
    style: coloured ? colourful : plain,
  };
}

/** Leaves every text as it is. */
export const plain: Style = (_, text) => text;

const colourful: Style = (colour, text) => styleText(colour, text);

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0" && value !== "false";
}

function ignore(): void {}
