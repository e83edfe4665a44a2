import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const demo = fileURLToPath(new URL("../../examples/reviews/demo.mjs", import.meta.url));

interface Run {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

async function runDemo(...args: readonly string[]): Promise<Run> {
  return await new Promise((resolve) => {
    execFile(process.execPath, [demo, ...args], { maxBuffer: 10_000_000 }, (error, output, errors) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output, errors });
    });
  });
}

/** The number behind a word of the printed account. */
function count(output: string, word: string): number {
  return Number(new RegExp(`^${word} +([\\d.]+)`, "m").exec(output)?.[1] ?? Number.NaN);
}

describe("npm run demo", () => {
  it("moderates real messages, survives a killed worker, and proves that nothing was lost", async () => {
    const { code, output, errors } = await runDemo("--limit", "400");

    expect(output + errors).toContain("Nothing was lost: each of 400 reviews has one verdict");
    expect(code).toBe(0);
    expect(count(output, "approved") + count(output, "rejected")).toBe(400);
    expect(count(output, "failed")).toBe(0);
    expect(output).toMatch(/killed +worker \d+ by SIGKILL; the attempt is on record, and the task went on/);
    expect(count(output, "retried")).toBeGreaterThanOrEqual(1);
    expect(count(output, "labels right")).toBeGreaterThan(90);
    expect(output).toContain(
      "The nightly batch checked 400 of 400 reviews. Its report: 400 reviews checked, 0 doubtful; ",
    );
  });
});

describe("npm run demo -- messages.jsonl", () => {
  const folder = mkdtempSync(join(tmpdir(), "qluster-demo-test-"));
  let run: Run;

  beforeAll(async () => {
    const file = join(folder, "messages.jsonl");
    writeFileSync(file, messagesFile());
    run = await runDemo(file, "--limit", "300");
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("moderates every good line", () => {
    expect(run.output).toContain("120 messages in ");
    expect(run.output).toContain("Nothing was lost: each of 120 reviews has one verdict");
    expect(run.code).toBe(0);
  });

  it.each([
    ["is no JSON", "line 2: not JSON: this is no JSON"],
    ["has no text", 'line 3: "text" is missing, or no text'],
    ["repeats an id", 'line 4: the id "m1" stood on an earlier line'],
    ["is no object", "line 5: not an object"],
  ])("names a line that %s by its number, and skips it", (_, message) => {
    expect(run.errors).toContain(message);
  });

  it("claims no share of right labels where there are no labels", () => {
    expect(run.output).not.toContain("labels right");
  });
});

describe("npm run demo, used wrongly", () => {
  it.each([
    ["an unknown flag", ["--fast"], "Unknown option '--fast'"],
    ["a limit that is no number", ["--limit", "many"], '--limit is "many", but must be a whole number of at least 1.'],
    ["two files", ["a.jsonl", "b.jsonl"], "Usage: npm run demo"],
  ])("says how to use it when given %s", async (_, args, message) => {
    const { code, errors } = await runDemo(...args);

    expect(errors).toContain(message);
    expect(code).toBe(2);
  });

  it("says which file it could not read", async () => {
    const { code, errors } = await runDemo("missing.jsonl");

    expect(errors).toContain("missing.jsonl");
    expect(code).toBe(1);
  });
});

function messagesFile(): string {
  const bad = ["this is no JSON", '{"id":"x"}', '{"id":"m1","text":"again"}', "[1]"];
  const rest = Array.from({ length: 119 }, (_, index) => goodLine(index + 2));
  return [goodLine(1), ...bad, ...rest].join("\n");
}

function goodLine(index: number): string {
  return JSON.stringify({ id: `m${index}`, text: `Order ${index} came in time and the shoes fit. Thank you!` });
}
