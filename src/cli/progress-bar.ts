import { type Counts, renderBar, renderPlain } from "./render-bar.js";
import type { Terminal } from "./terminal.js";

/** Shows how far long work is. Sets no timer and hides no cursor: nothing has to be put right when the process dies. */
export interface ProgressBar {
  /** May be called at any rate; draws at most every 100 ms, or in a plain log every 5 s. */
  readonly update: (counts: Counts) => void;
  /** Writes whole lines above the bar. */
  readonly write: (lines: string) => void;
  /** Writes one line above the bar. */
  readonly say: (line: string) => void;
  /** Draws the last state and leaves it on the screen. Harmless when called twice. */
  readonly finish: () => void;
}

const drawEveryMs = 100;
const logEveryMs = 5_000;
const toLineStart = "\r";
const eraseRest = "\u001B[K";

/**
 * A bar on a terminal that somebody looks at; plain lines with percentages elsewhere. Ours, because the progress bar of
 * `@clack/prompts` puts the keyboard into raw mode and answers Ctrl-C itself, which takes a cluster's graceful stop away.
 *
 * @param now - A time that never steps back, in milliseconds.
 */
export function progressBar(terminal: Terminal, label: string, now: () => number): ProgressBar {
  const began = now();
  const everyMs = terminal.interactive ? drawEveryMs : logEveryMs;
  let latest: Counts | undefined;
  let drawn: Counts | undefined;
  let drawnAt = began - (terminal.interactive ? everyMs : 0);
  let finished = false;

  const draw = (): void => {
    if (latest === undefined) return;
    [drawn, drawnAt] = [latest, now()];
    if (!terminal.interactive) return terminal.note(renderPlain(label, latest, drawnAt - began));
    const look = { width: terminal.width() - 1, blocks: true };
    terminal.writeNote(`${toLineStart}${renderBar(label, latest, drawnAt - began, look)}${eraseRest}`);
  };

  const write = (lines: string): void => {
    if (!terminal.interactive || drawn === undefined || finished) return terminal.writeNote(lines);
    terminal.writeNote(`${toLineStart}${eraseRest}${lines}`);
    draw();
  };

  return {
    write,
    say: (line) => write(`${line}\n`),
    update(counts) {
      latest = counts;
      if (!finished && now() - drawnAt >= everyMs) draw();
    },
    finish() {
      if (finished) return;
      finished = true;
      if (latest !== drawn) draw();
      if (terminal.interactive && drawn !== undefined) terminal.writeNote("\n");
    },
  };
}
