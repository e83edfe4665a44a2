import { pathToFileURL } from "node:url";

export type ModuleExports = Readonly<Record<string, unknown>>;

const typeScript = /\.[cm]?tsx?$/;

/** What Node says of a TypeScript file that it cannot load by itself. Nothing of the file has run by then. */
const loadingFaults = new Set([
  "ERR_UNKNOWN_FILE_EXTENSION",
  "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX",
  "ERR_INVALID_TYPESCRIPT_SYNTAX",
  "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING",
  "ERR_MODULE_NOT_FOUND",
  "ERR_UNSUPPORTED_DIR_IMPORT",
]);

let jiti: Promise<(path: string) => Promise<unknown>> | undefined;

/**
 * Imports a module of the user's by its absolute path: JavaScript, or TypeScript without a build step. Node's own loader
 * goes first, so that a module which the application has imported is the same one here; what it cannot read (TypeScript
 * on Node 20, enums, decorators, paths of a tsconfig) goes through jiti.
 */
export async function importModule(path: string): Promise<ModuleExports> {
  if (!typeScript.test(path)) return await native(path);
  try {
    return await native(path);
  } catch (error) {
    if (!isLoadingFault(error)) throw error;
    jiti ??= createLoader();
    return (await (
      await jiti
    )(path)) as ModuleExports;
  }
}

async function native(path: string): Promise<ModuleExports> {
  return (await import(pathToFileURL(path).href)) as ModuleExports;
}

async function createLoader(): Promise<(path: string) => Promise<unknown>> {
  const { createJiti } = await import("jiti");
  const loader = createJiti(import.meta.url, { tsconfigPaths: true });
  return async (path) => await loader.import(path);
}

function isLoadingFault(error: unknown): boolean {
  if (error instanceof SyntaxError) return true;
  return error instanceof Error && "code" in error && loadingFaults.has(String(error.code));
}
