import { commands } from "./commands.js";
import { run } from "./run.js";
import { processTerminal } from "./terminal.js";

/**
 * Runs a command line in this process and ends it with the command's exit code, also when something of the user's, such
 * as a connection that a task module opened, would keep it alive.
 */
export async function main(argv: readonly string[]): Promise<void> {
  process.exitCode = await run(argv, commands, processTerminal());
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  // oxlint-disable-next-line unicorn/no-process-exit -- this is the end of a program
  process.exit();
}

/** Pipes are written asynchronously; leaving at once would cut off what was printed. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) resolve();
    else stream.write("", () => resolve());
  });
}
