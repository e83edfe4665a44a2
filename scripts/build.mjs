// Builds dist from src. `--force` builds although nothing changed.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { globSync } from "tinyglobby";
import { cacheFolder, root } from "./places.mjs";

const dist = join(root, "dist");
const stamp = join(cacheFolder, "build.sha256");

/** What the build depends on: every source file and the settings, by content. */
function fingerprint() {
  const files = globSync(["src/**/*", "package.json", "tsconfig.json"], { cwd: root, ignore: ["src/**/*.test*.ts"] });
  const hash = createHash("sha256");
  for (const file of files.sort()) hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

/** Compiles beside dist and swaps, so that a process that runs from dist never sees half of it. */
function compile() {
  const fresh = join(cacheFolder, `dist-${process.pid}`);
  const old = join(cacheFolder, `dist-old-${process.pid}`);
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  try {
    execFileSync(process.execPath, [tsc, "-p", join(root, "tsconfig.json"), "--outDir", fresh], { stdio: "inherit" });
    copyAssets(fresh);
    makeExecutable(fresh);
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
}

/** What is neither TypeScript nor a test goes along as it is (SQL files, for one). */
function copyAssets(folder) {
  for (const file of globSync("**/*", { cwd: join(root, "src"), ignore: ["**/*.ts"] })) {
    const target = join(folder, file);
    mkdirSync(join(target, ".."), { recursive: true });
    writeFileSync(target, readFileSync(join(root, "src", file)));
  }
}

function makeExecutable(folder) {
  const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const target of Object.values(bin)) {
    const file = join(folder, target.replace("./dist/", ""));
    if (!existsSync(file)) throw new Error(`package.json names ${target} as a command, but src has no such file.`);
    chmodSync(file, statSync(file).mode | 0o111);
  }
}

/** Builds when something changed. Resolves to whether it did. */
export function build({ force = false } = {}) {
  mkdirSync(cacheFolder, { recursive: true });
  const now = fingerprint();
  const current = existsSync(dist) && existsSync(stamp) && readFileSync(stamp, "utf8") === now;
  if (current && !force) return false;

  compile();
  writeFileSync(stamp, now);
  return true;
}

/** So that tests which start built code may be run on their own. Vitest calls it once before them. */
export default function setup() {
  build();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    build({ force: process.argv.includes("--force") });
  } catch (error) {
    console.error(`The build failed: ${error.message}`);
    process.exitCode = 1;
  }
}
