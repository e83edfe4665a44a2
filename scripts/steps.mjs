// Runs commands one after the other and says how long each took.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { styleText } from "node:util";
import { root } from "./places.mjs";

/**
 * Runs one command. What it prints is shown when it failed, or at once with `live`.
 *
 * @param {{ name: string, command: readonly string[], live?: boolean, env?: NodeJS.ProcessEnv }} step
 * @returns {Promise<boolean>} Whether it exited with 0.
 */
export async function runStep({ name, command, live = false, env = process.env }) {
  const started = performance.now();
  const [program, ...args] = command;
  const child = spawn(program, args, {
    cwd: root,
    env,
    stdio: ["ignore", ...(live ? ["inherit", "inherit"] : ["pipe", "pipe"])],
  });
  const printed = [];
  child.stdout?.on("data", (chunk) => printed.push(chunk));
  child.stderr?.on("data", (chunk) => printed.push(chunk));
  const code = await ended(child, printed);

  const ok = code === 0;
  if (!ok && printed.length > 0) process.stdout.write(Buffer.concat(printed));
  report(name, ok, performance.now() - started);
  return ok;
}

async function ended(child, printed) {
  try {
    const [code] = await once(child, "close");
    return code;
  } catch (error) {
    printed.push(Buffer.from(`${error.message}\n`));
    return 1;
  }
}

/** One line for a finished step. */
export function report(name, ok, ms) {
  const word = ok ? styleText("green", "ok    ") : styleText("red", "FAILED");
  console.log(`${word} ${name.padEnd(44)} ${(ms / 1000).toFixed(1).padStart(6)} s`);
}

/** The command that runs a tool of node_modules with the Node.js in use, or with `node`. */
export function tool(name, args, node = process.execPath) {
  return [node, entries[name], ...args];
}

const entries = {
  knip: "node_modules/knip/bin/knip.js",
  oxfmt: "node_modules/oxfmt/bin/oxfmt",
  oxlint: "node_modules/oxlint/bin/oxlint",
  tsc: "node_modules/typescript/bin/tsc",
  vitest: "node_modules/vitest/vitest.mjs",
};
