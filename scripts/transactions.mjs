// Installs the libraries whose transactions are tested, apart from the package: better-sqlite3 is compiled for two minutes.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./places.mjs";

const folder = join(root, "test", "transactions");
const marker = join(folder, "node_modules", ".qluster-installed");
const schemas = ["sqlite", "postgres"].map((name) => join("prisma", name, "schema.prisma"));

/**
 * For Vitest's `globalSetup`. Does nothing when everything is there already, for this version of Node.js.
 *
 * @throws {Error} when something cannot be installed: a test that cannot run has failed.
 */
export function setup() {
  const wanted = fingerprint();
  if (existsSync(marker) && readFileSync(marker, "utf8") === wanted) return;
  run("installing what test/transactions/package-lock.json names", "npm", ["ci", "--ignore-scripts"]);
  run("compiling better-sqlite3, which takes about two minutes", "npm", ["rebuild", "better-sqlite3"]);
  for (const schema of schemas) run(`generating the Prisma client of ${schema}`, "npx", prisma(schema));
  writeFileSync(marker, wanted);
}

function prisma(schema) {
  return ["--no-install", "prisma", "generate", "--schema", schema];
}

function run(what, command, args) {
  console.log(`test/transactions: ${what} …`);
  // Prisma wants a second engine, which `generate` never starts; any program in its place saves the download.
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: "1" };
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd: folder, env, encoding: "utf8" });
  if (status === 0) return;
  const said = [error?.message, stdout, stderr].filter(Boolean).join("\n");
  throw new Error(
    `The tests of transactions cannot run: "${command} ${args.join(" ")}" failed in test/transactions. ` +
      `They need the npm registry, a C++ compiler and Python.\n${said}`,
  );
}

function fingerprint() {
  const hash = createHash("sha256").update(process.versions.modules);
  for (const file of ["package-lock.json", ...schemas]) hash.update(readFileSync(join(folder, file)));
  return hash.digest("hex");
}
