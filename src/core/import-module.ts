import { pathToFileURL } from "node:url";
import { isLoadingFault } from "./loading-fault.js";

export type ModuleExports = Readonly<Record<string, unknown>>;

const typeScript = /\.[cm]?tsx?$/;

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
    if (!isLoadingFault(error, pathToFileURL(path).href, [import.meta.url])) throw error;
    jiti ??= createLoader();
    return (await (
      await jiti
    )(path)) as ModuleExports;
  }
}

async function native(path: string): Promise<ModuleExports> {
  // A turn of its own: whoever calls must not stand on the stack of what the import throws.
  await Promise.resolve();
  return (await import(pathToFileURL(path).href)) as ModuleExports;
}

async function createLoader(): Promise<(path: string) => Promise<unknown>> {
  const { createJiti } = await import("jiti");
  const loader = createJiti(import.meta.url, { tsconfigPaths: true });
  return async (path) => await loader.import(path);
}
