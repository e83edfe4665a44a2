import { describe, expect, it } from "vitest";
import { until, workshop, type Workshop } from "../support/workshop.js";
import { execute, rows } from "../support/workshop-store.js";

const limit = { wait: "30s" } as const;

describe("old and new code on one store", () => {
  const migrate = async (shop: Workshop, worksFrom: number): Promise<void> => {
    const [newest] = await rows<{ version: number }>(shop, "SELECT max(version) AS version FROM qluster_schema");
    const { version } = newest!;
    await execute(
      shop,
      `ALTER TABLE qluster_message ADD COLUMN from_the_future TEXT;
       INSERT INTO qluster_schema (version, works_from, applied_at) VALUES (${version + 1}, ${worksFrom === 0 ? 1 : version + worksFrom}, 0)`,
    );
  };

  it("goes on when a migration in the middle says that this code still works (P374)", async () => {
    await using shop = await workshop({ workers: 1 });
    const cluster = await shop.cluster();
    const before = await shop.q.asyncTask("jobs.traced", "across", 1_500);
    await until(() => shop.trace().length === 1, "the task to start");

    await migrate(shop, 0);

    expect(await shop.q.fetch(before, limit)).toMatchObject({ success: true, attempts: 1 });
    expect(await shop.q.result(await shop.q.asyncTask("jobs.add", 1, 2), limit)).toBe(3);
    await shop.cluster();
    expect(cluster.log.filter((line) => line.level >= 50)).toEqual([]);
  });

  it("refuses tables that need newer code, says so, and loses nothing (P374)", async () => {
    await using shop = await workshop({ workers: 1 });
    const id = await shop.q.asyncTask("jobs.add", 1, 2);
    await migrate(shop, 1);

    const refused = await shop.cluster({ noWait: true });

    expect(await refused.exited).not.toBe(0);
    const said = refused.log.map((line) => line.msg).join("\n");
    expect(said).toMatch(
      /works with code from version \d+ on; this code has version \d+\. Install a newer release of qluster/,
    );
    const waiting = await rows<{ id: string }>(shop, "SELECT id FROM qluster_message");
    expect(waiting).toEqual([{ id }]);
  });
});
