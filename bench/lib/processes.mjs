import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";

/** Runs a script on a Node.js and resolves to the JSON that it prints last. */
export async function measure(node, script, args, { env = {}, patienceMs = 60_000 } = {}) {
  const child = spawn(node, [script, ...args.map((arg) => JSON.stringify(arg))], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [output, errors] = [[], []];
  child.stdout.on("data", (chunk) => output.push(chunk));
  child.stderr.on("data", (chunk) => errors.push(chunk));
  const late = setTimeout(() => endTree(child.pid), patienceMs);
  const last = () => endTree(child.pid);
  process.once("exit", last);
  const [code] = await once(child, "close");
  process.off("exit", last);
  clearTimeout(late);
  const text = Buffer.concat(output).toString().trim();
  if (code !== 0)
    throw new Error(`${script} ${JSON.stringify(args)} failed (${code}):\n${Buffer.concat(errors).toString()}${text}`);
  return JSON.parse(text.slice(text.lastIndexOf("\n") + 1));
}

function endTree(pid) {
  for (const one of tree(pid)) {
    try {
      process.kill(one, "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** A process and all that descend from it; Linux only. */
export function tree(pid) {
  const parents = new Map();
  for (const entry of readdirSync("/proc")) {
    if (/^\d+$/.test(entry)) parents.set(Number(entry), parentOf(entry));
  }
  const found = [pid];
  for (const one of found) {
    for (const [child, parent] of parents) if (parent === one) found.push(child);
  }
  return found;
}

function parentOf(pid) {
  try {
    return Number(afterName(pid)[1]);
  } catch {
    return undefined;
  }
}

function afterName(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** Processor time that a process has used, in milliseconds. */
export function cpuMs(pid) {
  const fields = afterName(pid);
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory, in MB. */
export function rssMb(pid) {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return line === null ? 0 : Number(line[1]) / 1024;
}
