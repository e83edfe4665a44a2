import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { until, workshop } from "../support/workshop.js";

const wait = { wait: "60s" } as const;

it("goes on when its folder was moved away and back (P298)", async () => {
  const base = mkdtempSync(join(tmpdir(), "qluster-moved-"));
  const folder = join(base, "data");
  mkdirSync(folder);
  const database = `sqlite:${join(folder, "q.db")}` as const;
  await using shop = await workshop({ database, lease: "60s" });
  const cluster = await shop.cluster();
  const running = await shop.q.asyncTask("jobs.traced", "running", 1_500);
  await until(() => shop.trace().length === 1, "the task to start");

  renameSync(folder, `${folder}-away`);
  await new Promise((done) => setTimeout(done, 3_000));
  renameSync(`${folder}-away`, folder);

  expect(await shop.q.result(running, wait)).toBe("running");
  expect(await shop.q.result(await shop.q.asyncTask("jobs.add", 1, 2), wait)).toBe(3);
  expect(shop.trace()).toHaveLength(1);
  cluster.kill("SIGTERM");
  expect(await cluster.exited).toBe(0);
  rmSync(base, { recursive: true, force: true });
});

it("stops with a clear error when its file was replaced, instead of working on a ghost", async () => {
  await using shop = await workshop({ lease: "1500ms" });
  const cluster = await shop.cluster();
  await shop.q.result(await shop.q.asyncTask("jobs.add", 1, 2), wait);
  const file = join(shop.folder, "q.db");

  for (const name of [file, `${file}-wal`, `${file}-shm`]) unlinkSync(name);
  writeFileSync(file, "");

  await cluster.says(/deleted or replaced|replaced|another file/i);
  expect(await cluster.exited).toBe(1);
});

it("waits while the disk is full, and loses no result", async () => {
  const disk = mkdtempSync(join(tmpdir(), "qluster-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", disk]);
  try {
    const database = `sqlite:${join(disk, "q.db")}` as const;
    await using shop = await workshop({ database, lease: "60s" });
    const cluster = await shop.cluster();
    const running = await shop.q.asyncTask("jobs.traced", "running", 1_500);
    await until(() => shop.trace().length === 1, "the task to start");
    fill(join(disk, "filler"));

    await cluster.says(/store cannot be reached/);
    unlinkSync(join(disk, "filler"));

    expect(await shop.q.result(running, wait)).toBe("running");
    expect(await shop.q.result(await shop.q.asyncTask("jobs.add", 1, 2), wait)).toBe(3);
    expect(shop.trace()).toHaveLength(1);
  } finally {
    execFileSync("umount", ["-l", disk]);
    rmSync(disk, { recursive: true, force: true });
  }
});

function fill(file: string): void {
  try {
    execFileSync("dd", ["if=/dev/zero", `of=${file}`, "bs=1024"], { stdio: "ignore" });
  } catch {
    // "No space left on device" is what it is for.
  }
}
