import * as nodeModule from "node:module";
import { fileURLToPath } from "node:url";

/** What a piece of code loaded, as far as the loaders tell. */
export interface Recording<T> {
  readonly value: T;
  /** Absolute paths, without anything from a node_modules folder. */
  readonly files: readonly string[];
}

/** Of Node 22.15 and newer. */
interface LoadHooks {
  readonly load: (url: string, context: unknown, next: (url: string, context: unknown) => unknown) => unknown;
}
type RegisterHooks = (hooks: LoadHooks) => { readonly deregister: () => void };

/**
 * Runs `work` and notes the files that it loads. CommonJS modules, and TypeScript that Node cannot load by itself, are
 * seen in Node's module cache; ES modules where Node has synchronous hooks (22.15 and newer).
 */
export async function recordImports<T>(work: () => Promise<T>): Promise<Recording<T>> {
  const cache = nodeModule.createRequire(import.meta.url).cache;
  const before = new Set(Object.keys(cache));
  const urls: string[] = [];
  const hooks = registerHooks()?.({
    load(url, context, next) {
      urls.push(url);
      return next(url, context);
    },
  });
  try {
    const value = await work();
    const cached = Object.keys(cache).filter((file) => !before.has(file));
    return { value, files: ownFiles([...cached, ...urls.filter(isFile).map((url) => fileURLToPath(url))]) };
  } finally {
    hooks?.deregister();
  }
}

function registerHooks(): RegisterHooks | undefined {
  return "registerHooks" in nodeModule ? (nodeModule.registerHooks as RegisterHooks) : undefined;
}

function isFile(url: string): boolean {
  return url.startsWith("file:");
}

function ownFiles(files: readonly string[]): string[] {
  return [...new Set(files)].filter((file) => !/[\\/]node_modules[\\/]/.test(file));
}
