import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** What the scripts make for themselves; `npm ci` removes it with everything else there. */
export const cacheFolder = join(root, "node_modules", ".cache", "qluster");
