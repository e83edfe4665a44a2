import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryBackend } from "../../src/backends/memory/index.js";
import { openBackend } from "../../src/backends/sqlite/index.js";
import type { Backend } from "../../src/contracts/backend.js";
import { openPair, type OpenPart } from "./apart.js";

/** An empty backend for the project `test`, and how to remove what it left. */
export interface Opened {
  readonly backend: Backend;
  readonly remove: () => Promise<void>;
}

/** Every backend there is, by name. */
export const backends: readonly (readonly [name: string, open: () => Promise<Opened>])[] = [
  ["memory", openMemory],
  ["sqlite", openSqlite],
  ["sqlite with a broker in another file", openApart],
];

async function openMemory(): Promise<Opened> {
  const backend = memoryBackend();
  return { backend, remove: () => dispose(backend) };
}

async function openSqlite(): Promise<Opened> {
  const folder = await mkdtemp(join(tmpdir(), "qluster-client-"));
  const backend = await openBackend({
    location: join(folder, "q.db"),
    project: "test",
    durability: "process",
    blockMs: 50,
    retryMs: 5_000,
    migrate: true,
  });
  const remove = async (): Promise<void> => {
    await dispose(backend);
    await rm(folder, { recursive: true, force: true });
  };
  return { backend, remove };
}

async function openApart(): Promise<Opened> {
  const folder = await mkdtemp(join(tmpdir(), "qluster-client-"));
  const open: OpenPart = ({ place, ...where }) =>
    openBackend({ ...where, location: join(folder, place), durability: "process", blockMs: 50, retryMs: 5_000 });
  const where = { place: "q", project: "test", migrate: true };
  const backend = await openPair({ store: open, broker: open }, where);
  const remove = async (): Promise<void> => {
    await dispose(backend);
    await rm(folder, { recursive: true, force: true });
  };
  return { backend, remove };
}

async function dispose(backend: Backend): Promise<void> {
  await backend[Symbol.asyncDispose]();
}
