import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const sources = filesIn("src").filter((file) => file.endsWith(".ts"));
/** What ships. Tests beside the source may import what they like. */
const shipped = sources.filter((file) => !/\.test(-d)?\.ts$/.test(file));

/** Who may import whom. A part may always import itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  contracts: [],
  core: ["contracts", "errors"],
  errors: ["contracts", "core"],
  options: ["contracts", "core", "errors"],
  transactions: ["contracts", "errors"],
  client: ["contracts", "core", "errors", "options", "transactions"],
  worker: ["contracts", "core", "errors", "transactions"],
  cluster: ["contracts", "core", "errors", "options", "client", "worker"],
  "backends/sql": ["contracts", "core", "errors"],
  "backends/memory": ["contracts", "core", "errors", "backends/sql"],
  "backends/sqlite": ["contracts", "core", "errors", "backends/sql"],
  "backends/postgres": ["contracts", "core", "errors", "backends/sql"],
  "backends/redis": ["contracts", "core", "errors", "backends/sql"],
  "backends/apart": ["contracts", "core", "errors"],
  shell: ["contracts", "core", "errors", "client"],
  testing: ["contracts", "core", "errors", "client", "backends/memory"],
  cli: ["contracts", "core", "errors", "options", "client", "worker", "cluster", "backends/sql", "testing", "index"],
  index: ["client", "options", "errors"],
};

/** Why one part does what the table does not say. Each line is a decision; a new one needs as good a reason. */
const exceptions: readonly Exception[] = [
  {
    from: "options/open-backend",
    to: /^backends\//,
    only: "dynamic",
    why: "a backend is chosen by its name, and loaded when it is first used",
  },
  {
    from: "options/open-writer",
    to: /^backends\//,
    only: "dynamic",
    why: "the same, for what writes on transactions without a connection of its own",
  },
  {
    from: "worker/completion",
    to: /^options$/,
    only: "dynamic",
    why: "a task that completes itself in a transaction needs the tables' own SQL; nobody else in a worker does",
  },
  {
    from: "index",
    to: /^(contracts|core)$/,
    only: "type",
    why: "users write these types; they cost nothing at run time",
  },
];

/** The packages that each part may use. Node's own modules are free for all but `contracts`. */
const packagesOf: Readonly<Record<string, readonly string[]>> = {
  core: ["jiti", "tinyglobby", "temporal-polyfill"],
  options: ["zod"],
  "backends/sqlite": ["libsql"],
  "backends/postgres": ["pg"],
  "backends/redis": ["ioredis"],
  cli: ["citty", "@clack/prompts", "jiti", "tinyglobby"],
};

/** Files above 400 lines, each with its reason. */
const longFiles: Readonly<Record<string, string>> = {};

describe("who imports whom", () => {
  it("follows the table of the design", () => {
    const wrong = shipped.flatMap((file) =>
      importsOf(file)
        .filter(({ target }) => target !== undefined && !isAllowed(file, target))
        .map(({ target }) => `${file} imports ${target}. ${adviceFor(partOf(file))}`),
    );

    expect(wrong).toEqual([]);
  });

  it("knows every part of the house", () => {
    const unknown = [...new Set(shipped.map(partOf))].filter((part) => !(part in mayImport));

    expect(unknown, "A new folder in src needs its line in the table of this test, and in ARCHITECTURE.md.").toEqual(
      [],
    );
  });

  it("points only at files that exist, with their extension", () => {
    const missing = sources.flatMap((file) =>
      importsOf(file)
        .filter(
          ({ specifier, target }) => specifier.startsWith(".") && (target === undefined || !specifier.endsWith(".js")),
        )
        .map(({ specifier }) => `${file} imports "${specifier}". Write the file's path with .js at its end.`),
    );

    expect(missing).toEqual([]);
  });

  it("uses third-party packages only where they belong", () => {
    const wrong = shipped.flatMap((file) =>
      packagesIn(file)
        .filter((name) => !(packagesOf[partOf(file)] ?? []).includes(name))
        .map((name) => `${file} imports the package "${name}". ${packageAdvice(partOf(file))}`),
    );

    expect(wrong).toEqual([]);
  });

  it("uses only packages that are installed with this one", () => {
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<string, object | undefined>;
    const fields = ["dependencies", "optionalDependencies", "peerDependencies"];
    const installed = new Set(fields.flatMap((field) => Object.keys(manifest[field] ?? {})));

    const wrong = shipped.flatMap((file) =>
      packagesIn(file)
        .filter((name) => !installed.has(name))
        .map((name) => `${file} imports "${name}", which users do not get. Add it to "dependencies" in package.json.`),
    );

    expect(wrong).toEqual([]);
  });
});

describe("the root entry", () => {
  it("loads no database client, no cluster, no command line and no loader of modules until they are needed (P005)", () => {
    const reached = reachedFrom("src/index.ts");

    const packages = [...new Set([...reached].flatMap((file) => packagesIn(file, "static")))];
    const parts = [...new Set([...reached].map(partOf))];

    const hint =
      "Whatever src/index.ts reaches is loaded by every application. Load the rest with import() where it is used.";
    expect(packages, hint).toEqual([]);
    expect(
      parts.filter((part) => /^(cluster|worker|cli|testing|backends\/.*)$/.test(part)),
      hint,
    ).toEqual([]);
    const sqlite = [...reached].filter((file) => importsOf(file).some(({ specifier }) => specifier === "node:sqlite"));
    expect(sqlite, hint).toEqual([]);
  });

  it("loads what schedules need with the first verb on schedules", () => {
    const reached = [...reachedFrom("src/index.ts")];

    expect(reached.filter((file) => /schedule-client|zone-clock|parse-cron|next-slot/.test(file))).toEqual([]);
  });

  it("has types that import no third-party package", { timeout: 60_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), "qluster-types-"));
    try {
      emitTypes(folder);

      const wrong = [...typesReachedFrom(join(folder, "index.d.ts"))].flatMap((file) =>
        specifiersIn(readFileSync(file, "utf8"))
          .filter(({ specifier }) => !specifier.startsWith(".") && !specifier.startsWith("node:"))
          .map(({ specifier }) => `${relative(folder, file)} imports "${specifier}"`),
      );

      expect(wrong, "Users would need that package to compile. Give the export a type of our own.").toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("core", () => {
  it.each([
    ["the wall clock", /\bDate\.now\b|\bnew Date\(\s*\)/, "Take the time as an argument: `nowMs`, or a `Clock`."],
    ["the monotonic clock", /\bperformance\.|\bhrtime\b|node:perf_hooks/, "Take a `Clock` as an argument."],
    [
      "randomness",
      /\bMath\.random\b|\brandom(Bytes|UUID|Int|FillSync)\b|\bgetRandomValues\b/,
      "Take the random bytes as an argument.",
    ],
    [
      "the process",
      /\bprocess\.|node:process/,
      "Take the value as an argument; `options`, `worker` and `cluster` may read it.",
    ],
  ])("does not read %s", (_, pattern, advice) => {
    const wrong = shipped
      .filter((file) => partOf(file) === "core")
      .flatMap((file) => linesOf(file, pattern).map((line) => `${line}. ${advice}`));

    expect(wrong).toEqual([]);
  });
});

describe("contracts", () => {
  it("are types only: nothing of them exists at run time", () => {
    const wrong = shipped
      .filter((file) => partOf(file) === "contracts")
      .flatMap((file) =>
        linesOf(file, /^\s*(export )?(const|let|var|function|class|enum|abstract class) |^import (?!type)/),
      );

    expect(wrong, "Put code into core, and its types here.").toEqual([]);
  });
});

describe("testing", () => {
  it("works with any runner: it imports none", () => {
    const wrong = shipped
      .filter((file) => partOf(file) === "testing")
      .filter((file) =>
        importsOf(file).some(({ specifier }) => /^(vitest|@jest|jest|mocha|node:test)/.test(specifier)),
      );

    expect(wrong, "A suite gets `describe` and `it` from its caller, and checks with node:assert.").toEqual([]);
  });
});

describe("files", () => {
  it("have kebab-case names", () => {
    const wrong = sources.filter((file) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.test-d)?\.ts$/.test(basename(file)));

    expect(wrong, "Name a file in kebab-case after its main export: makeId is in make-id.ts, or in ids.ts.").toEqual(
      [],
    );
  });

  it("are named for what they do, never utils, helpers, common or misc", () => {
    const wrong = sources.filter((file) => /(^|[/-])(utils?|helpers?|common|misc|shared|lib)([-./]|$)/.test(file));

    expect(wrong, "Such a file collects what nobody can find. Name it after what its main export does.").toEqual([]);
  });

  it("have at most 400 lines, or a reason in this test", () => {
    const wrong = shipped
      .map((file) => ({ file, lines: read(file).split("\n").length - 1 }))
      .filter(({ file, lines }) => lines > 400 && longFiles[file] === undefined)
      .map(({ file, lines }) => `${file} has ${lines} lines. Split it where two ideas meet, or give a reason here.`);

    expect(wrong).toEqual([]);
  });
});

interface Exception {
  /** The part, or the file without `src/` and its extension. */
  readonly from: string;
  readonly to: RegExp;
  readonly only: "dynamic" | "type";
  readonly why: string;
}

interface Import {
  readonly specifier: string;
  readonly kind: "static" | "type" | "dynamic";
  /** The source file it means, relative to the root; `undefined` for packages and for what does not exist. */
  readonly target: string | undefined;
}

function isAllowed(file: string, target: string): boolean {
  const [from, to] = [partOf(file), partOf(target)];
  if (from === to || mayImport[from]?.includes(to)) return true;
  const place = file.replace(/^src\//, "").replace(/\.ts$/, "");
  return exceptions.some(
    (exception) =>
      (exception.from === from || exception.from === place) &&
      exception.to.test(to) &&
      importsOf(file).every((one) => one.target !== target || one.kind === exception.only),
  );
}

function adviceFor(part: string): string {
  const allowed = mayImport[part] ?? [];
  const list = allowed.length === 0 ? "nothing" : allowed.join(", ");
  return `"${part}" may import ${list}. What both need belongs into core (a rule) or contracts (a type); what only the caller has comes in as an argument.`;
}

function packageAdvice(part: string): string {
  const own = packagesOf[part];
  const has = own === undefined ? "none" : own.join(", ");
  return `"${part}" may use ${has}. Use it where the design puts it, or say in this test why this part needs it.`;
}

/** The folder a file belongs to: `core`, `backends/sqlite`; `index` and `errors` are parts of their own. */
function partOf(file: string): string {
  const [, first = "", second = ""] = file.split("/");
  if (second === "") return first.replace(/\.ts$/, "");
  return first === "backends" ? `${first}/${second}` : first;
}

function importsOf(file: string): Import[] {
  return specifiersIn(read(file)).map((found) => ({ ...found, target: targetOf(file, found.specifier) }));
}

function specifiersIn(source: string): Omit<Import, "target">[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const found: Omit<Import, "target">[] = [];
  for (const [, type, specifier = ""] of code.matchAll(/^(?:import|export)(\s+type)?\s[^;"'`]*?\bfrom\s+"([^"]+)"/gm)) {
    found.push({ specifier, kind: type === undefined ? "static" : "type" });
  }
  for (const [, specifier = ""] of code.matchAll(/^import\s+"([^"]+)"/gm)) found.push({ specifier, kind: "static" });
  for (const [, type, specifier = ""] of code.matchAll(/(typeof\s+)?\bimport\(\s*"([^"]+)"/g)) {
    found.push({ specifier, kind: type === undefined ? "dynamic" : "type" });
  }
  return found;
}

function targetOf(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  const target = join(dirname(file), specifier.replace(/\.js$/, ".ts"));
  return existsSync(join(root, target)) ? target : undefined;
}

function packagesIn(file: string, kind?: Import["kind"]): string[] {
  const foreign = importsOf(file).filter(
    (one) => !/^(\.|node:)/.test(one.specifier) && (kind === undefined || one.kind === kind),
  );
  return foreign.map(({ specifier }) =>
    specifier
      .split("/")
      .slice(0, specifier.startsWith("@") ? 2 : 1)
      .join("/"),
  );
}

/** The file and all that is loaded with it. */
function reachedFrom(start: string): Set<string> {
  const reached = new Set([start]);
  for (const file of reached) {
    for (const { target, kind } of importsOf(file)) if (target !== undefined && kind === "static") reached.add(target);
  }
  return reached;
}

function emitTypes(folder: string): void {
  const tsc = join(root, "node_modules", ".bin", "tsc");
  // Errors are reported by the type check; here only what it emits counts.
  spawnSync(tsc, ["-p", root, "--emitDeclarationOnly", "--outDir", folder], { cwd: root });
}

function typesReachedFrom(start: string): Set<string> {
  const reached = new Set([start]);
  for (const file of reached) {
    for (const { specifier } of specifiersIn(readFileSync(file, "utf8"))) {
      if (specifier.startsWith(".")) reached.add(join(dirname(file), specifier.replace(/\.js$/, ".d.ts")));
    }
  }
  return reached;
}

function linesOf(file: string, pattern: RegExp): string[] {
  return read(file)
    .split("\n")
    .flatMap((line, index) =>
      pattern.test(line) && !/^\s*(\*|\/\/|\/\*)/.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
    );
}

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesIn(path) : [path];
  });
}
