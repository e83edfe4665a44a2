import { expect, it } from "vitest";
import { link, previous } from "qluster";
import { execute, postgresOf, rows } from "../support/workshop-store.js";
import { until, workshop } from "../support/workshop.js";
import type { Workshop } from "../support/workshop.js";

/** Whoever can write to the database puts the result of another task where that of the link before belongs. */
function forgery(shop: Workshop, chain: string, other: string): string {
  const result = `(SELECT result FROM qluster_task WHERE id = '${other}')`;
  const second = `WHEN (NEW.member LIKE '${chain}.1.%')`;
  if (postgresOf(shop) === undefined) {
    return `CREATE TRIGGER forge AFTER INSERT ON qluster_message ${second} BEGIN
        UPDATE qluster_message SET envelope = substr(envelope, 1, instr(envelope, '[[0,') - 1)
          || json_array(json_array(0, ${result})) WHERE seq = NEW.seq;
      END`;
  }
  return `CREATE FUNCTION forge() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN
        NEW.envelope := left(NEW.envelope, strpos(NEW.envelope, '[[0,') - 1) || json_build_array(json_build_array(0, ${result}))::text;
        RETURN NEW;
      END $$;
      CREATE TRIGGER forge BEFORE INSERT ON qluster_message FOR EACH ROW ${second} EXECUTE FUNCTION forge()`;
}

it("a link refuses a result that its worker did not seal for it, and calls no function with it (P151)", async () => {
  await using shop = await workshop({ attempts: 1 });
  const other = await shop.q.asyncTask("jobs.add", 40, 2);
  const cluster = await shop.cluster();
  expect(await shop.q.result(other, { wait: "20s" })).toBe(42);
  cluster.kill("SIGTERM");
  await cluster.exited;
  const chain = await shop.q.asyncChain([link("jobs.add", 1, 2), link("jobs.traced", previous())]);
  await execute(shop, forgery(shop, chain, other));
  await shop.cluster();

  await until(async () => (await shop.q.flow(chain))?.state !== "open", 30_000, "the chain to end");

  const [row] = await rows<{ error: string }>(shop, `SELECT error FROM qluster_task WHERE member LIKE '${chain}.1.%'`);
  expect(JSON.parse(row?.error ?? "{}")).toMatchObject({ name: "EnvelopeError", dead: "signature" });
  expect(shop.trace().filter((line) => line.startsWith("start"))).toEqual([]);
});
