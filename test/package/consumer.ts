import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Ran {
  readonly code: number;
  /** Standard output. */
  readonly output: string;
  /** Standard error output; npm warns there of settings that are the machine's. */
  readonly errors: string;
}

/** The packed tarball, and an empty folder of a user's that it is installed into. */
export interface Consumer {
  readonly tarball: string;
  readonly folder: string;
  /** Writes a file and the folders above it. */
  readonly write: (path: string, text: string) => void;
  /** Runs a program there; resolves to its exit code and what it printed. */
  readonly run: (program: string, args: readonly string[], env?: NodeJS.ProcessEnv) => Promise<Ran>;
  /** The same; resolves to the standard output, and fails with all that was printed when the code is not 0. */
  readonly succeed: (program: string, args: readonly string[], env?: NodeJS.ProcessEnv) => Promise<string>;
  readonly remove: () => void;
}

/**
 * Packs the package as it would be published.
 *
 * @param manifest - The user's package.json.
 */
export async function openConsumer(manifest: object = { private: true, type: "module" }): Promise<Consumer> {
  const home = mkdtempSync(join(tmpdir(), "qluster-package-"));
  const folder = join(home, "app");
  mkdirSync(folder);
  await succeed(root, "npm", ["pack", "--pack-destination", home, "--loglevel=error"]);
  const name = readdirSync(home).find((file) => file.endsWith(".tgz"));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write("package.json", JSON.stringify(manifest));
  return {
    tarball: join(home, name ?? ""),
    folder,
    write,
    run: async (program, args, env) => await run(folder, program, args, env),
    succeed: async (program, args, env) => await succeed(folder, program, args, env),
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}

/** Installs the tarball, and other packages, as a user does. */
export async function install(consumer: Consumer, ...more: readonly string[]): Promise<void> {
  await consumer.succeed("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", consumer.tarball, ...more]);
}

/** The tools of this repository, for what looks at the tarball. */
export function tool(name: string): string {
  return join(root, "node_modules", ".bin", name);
}

export function rootManifest(): { readonly version: string; readonly bin: Readonly<Record<string, string>> } {
  return JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as never;
}

/** Where this repository stands on this machine. */
export const repository: string = root.replace(/\/$/, "");

async function succeed(
  cwd: string,
  program: string,
  args: readonly string[],
  env?: NodeJS.ProcessEnv,
): Promise<string> {
  const { code, output, errors } = await run(cwd, program, args, env);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}:\n${output}${errors}`);
  return output;
}

async function run(cwd: string, program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  return await new Promise((resolve) => {
    const options = { cwd, env: { ...cleanEnvironment(), ...env }, maxBuffer: 50_000_000 };
    execFile(program, [...args], options, (error, output, errors) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1) || 1, output, errors });
    }).stdin?.end();
  });
}

/** Without what npm and Vitest leave for their children: a user has none of it. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(?!config_)|VITEST|NODE_ENV|QLUSTER)/.test(name),
  );
  return { ...Object.fromEntries(entries), NO_COLOR: "1" };
}
