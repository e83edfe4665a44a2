import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Gives `work` an empty folder, and removes it afterwards. */
export async function inFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), "qluster-bench-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
