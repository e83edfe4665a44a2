const barWidth = 30;

/** Shows how far long work is: a bar in a terminal, a plain line for every tenth elsewhere. */
export class Progress {
  readonly #label: string;
  readonly #started = performance.now();
  #drawnAt = 0;
  #tenths = -1;

  constructor(label: string) {
    this.#label = label;
  }

  /** @param note - Stands behind the numbers. */
  show(done: number, total: number, note = ""): void {
    if (process.stdout.isTTY) this.#draw(done, total, note);
    else this.#print(done, total, note);
  }

  #draw(done: number, total: number, note: string): void {
    const now = performance.now();
    if (done < total && now - this.#drawnAt < 100) return;
    this.#drawnAt = now;
    const full = Math.round((done / Math.max(total, 1)) * barWidth);
    const bar = "█".repeat(full).padEnd(barWidth, "░");
    const line = `${this.#label} ${bar} ${done} of ${total} ${this.#seconds()} ${note}`;
    process.stdout.write(`\r${line.slice(0, process.stdout.columns - 1)}\u001B[K${done < total ? "" : "\n"}`);
  }

  #print(done: number, total: number, note: string): void {
    const tenths = Math.floor((done / Math.max(total, 1)) * 10);
    if (tenths === this.#tenths) return;
    this.#tenths = tenths;
    console.log(`${this.#label} ${done} of ${total} ${this.#seconds()} ${note}`.trimEnd());
  }

  #seconds(): string {
    return `${((performance.now() - this.#started) / 1000).toFixed(1)} s`;
  }
}
