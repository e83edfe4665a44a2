import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Consumer, install, openConsumer, repository } from "./package/consumer.js";

const readme = readFileSync(fileURLToPath(new URL("../README.md", import.meta.url)), "utf8");

interface Block {
  readonly language: string;
  readonly code: string;
}

function blocksOf(part: string): Block[] {
  return [...part.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = "", code = ""]) => ({ language, code }));
}

function section(title: string): string {
  return new RegExp(`^## ${title}\\n([\\s\\S]*?)(?=^## |(?![\\s\\S]))`, "m").exec(readme)?.[1] ?? "";
}

describe("the start of the README, in an empty folder", () => {
  let consumer: Consumer;
  const printed = new Map<string, string>();
  const running: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    consumer = await openConsumer({ private: true });
    for (const { language, code } of blocksOf(section("Start"))) {
      if (language !== "sh") writeNamed(consumer, code);
      else for (const line of code.trim().split("\n")) printed.set(line, await runLine(line));
    }
  });

  afterAll(async () => {
    for (const end of running) await end();
    consumer.remove();
  });

  /** What a user types; a cluster goes on in its terminal. */
  async function runLine(line: string): Promise<string> {
    if (line === "npm install qluster") return await install(consumer).then(() => "");
    if (line !== "npx qluster cluster") return await consumer.succeed("sh", ["-c", line]);
    const child = spawn("npx", ["qluster", "cluster"], {
      cwd: consumer.folder,
      stdio: ["ignore", "ignore", "pipe"],
      detached: true,
    });
    running.push(async () => {
      const exited = once(child, "exit");
      // The whole group, as a terminal does it: npx keeps a signal to itself.
      process.kill(-child.pid!, "SIGTERM");
      await exited;
    });
    for await (const said of createInterface({ input: child.stderr })) if (said.includes(" running.")) return said;
    throw new Error("The cluster ended before it ran.");
  }

  it("starts a cluster", () => {
    expect(printed.get("npx qluster cluster")).toContain("Q Cluster");
  });

  it("runs the task that the command line queues, and shows its result", () => {
    expect(printed.get(`npx qluster enqueue core.tasks.greet '"Ada"' --wait`)).toContain("Hello, Ada!");
  });

  it("runs the task that code queues, and reads its result", () => {
    expect(printed.get("node app.mjs")).toBe("Hello, Grace!\n");
  });

  it("runs a chain and an iterable (P132, P147)", () => {
    expect(printed.get("node compose.mjs")).toBe(
      "[ 'Hello, Ada!', 'Hello, Hello, Ada!!' ]\n[ 'Hello, Grace!', 'Hello, Alan!' ]\n",
    );
  });
});

describe("the rest of the README", () => {
  it("shows code that compiles", async () => {
    const shown = blocksOf(section("What it looks like")).find(({ language }) => language === "ts");
    const consumer = await openConsumer();
    try {
      await install(consumer, "zod@4", "typescript@7", "@types/node@20");
      consumer.write("app.ts", shown?.code ?? "");
      const strict = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true };
      const compilerOptions = { ...strict, module: "nodenext", target: "es2023", types: ["node"], noEmit: true };
      consumer.write("tsconfig.json", JSON.stringify({ compilerOptions, files: ["app.ts"] }));

      expect(await consumer.succeed("npx", ["tsc", "-p", "."])).toBe("");
    } finally {
      consumer.remove();
    }
  });

  it("links to files that exist", () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path = ""]) => path);

    expect(links.filter((path) => !existsSync(join(repository, path)))).toEqual([]);
  });
});

/** A block of code begins with the name of its file. */
function writeNamed(consumer: Consumer, code: string): void {
  const name = /^\/\/ (\S+)\n/.exec(code)?.[1];
  if (name === undefined) throw new Error(`A block of the README names no file:\n${code}`);
  consumer.write(name, code);
}
