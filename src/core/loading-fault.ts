/** What Node says of a TypeScript file that it cannot load by itself. Nothing of the file has run by then. */
const unreadable = new Set([
  "ERR_UNKNOWN_FILE_EXTENSION",
  "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX",
  "ERR_INVALID_TYPESCRIPT_SYNTAX",
  "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING",
]);

/** What Node also says of an import that code asked for while it ran. */
const unresolved = new Set(["ERR_MODULE_NOT_FOUND", "ERR_UNSUPPORTED_DIR_IMPORT"]);

/**
 * Whether an import failed before anything of it ran, so that another loader may try. A module that has run must not run
 * a second time.
 *
 * @param url - Of the module that was imported.
 * @param own - Urls whose code may stand on the stack all the same: the caller's.
 */
export function isLoadingFault(error: unknown, url: string, own: readonly string[] = []): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? String(error.code) : "";
  if (unreadable.has(code)) return true;
  if (!(error instanceof SyntaxError) && !unresolved.has(code)) return false;
  return !framesOf(error).some((frame) => isOfRunningModule(frame, url, own));
}

/** The lines before the first frame name the place of a fault in the source, and not code that ran. */
function framesOf({ stack = "" }: Error): string[] {
  return stack.split("\n").filter((line) => /^\s+at /.test(line));
}

/** Code that awaits the import stands on the stack as `async`; of such, only the module itself says that it has run. */
function isOfRunningModule(frame: string, url: string, own: readonly string[]): boolean {
  if (frame.includes(url)) return true;
  return frame.includes("file://") && !/^\s+at async /.test(frame) && !own.some((one) => frame.includes(one));
}
