// The databases that systems are measured on, each with the setting that the tables name.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import pg from "pg";
import { inFolder } from "./folder.mjs";
import { startPostgres, startRedis } from "./servers.mjs";

/**
 * By name: `open()` resolves to `{ setting, use, close }`. `use(work)` gives `work` the address of an empty database and an
 * empty folder for one measurement.
 */
export const stores = {
  sqlite: openSqlite,
  postgres: openPostgres,
  redis: () => openRedis(false),
  "redis-aof": () => openRedis(true),
};

async function openSqlite() {
  return {
    setting: "SQLite, journal_mode=WAL, synchronous=NORMAL",
    use: (work) => inFolder((folder) => work({ folder, database: `sqlite:${join(folder, "bench.db")}` })),
    close: async () => {},
  };
}

/** One server; a database for each measurement, and a checkpoint before it, so that nobody writes what another one left. */
async function openPostgres() {
  const { url, stop } = await startPostgres();
  const admin = new pg.Client(url);
  await admin.connect();
  const show = async (name) => (await admin.query(`show ${name}`)).rows[0][name];
  const [version, ...names] = ["server_version", "fsync", "synchronous_commit"];
  const values = await Promise.all(names.map(async (name) => `${name}=${await show(name)}`));
  let number = 0;
  return {
    setting: `PostgreSQL ${(await show(version)).split(" ")[0]}, ${values.join(", ")}`,
    use: async (work) => {
      const name = `bench_${++number}`;
      await admin.query(`create database ${name}`);
      await admin.query("checkpoint");
      try {
        return await inFolder((folder) => work({ folder, database: url.replace(/postgres$/, name) }));
      } finally {
        await admin.query(`drop database ${name} with (force)`);
      }
    },
    close: async () => {
      await admin.end();
      await stop();
    },
  };
}

/** A server for each measurement: it starts in 50 ms, and its log in an empty file. */
async function openRedis(appendonly) {
  const version = /v=(\S+)/.exec(execFileSync("redis-server", ["--version"]).toString())[1];
  const setting = appendonly ? "appendonly=yes, appendfsync=everysec" : "appendonly=no";
  return {
    setting: `Redis ${version}, ${setting}, no snapshots`,
    use: async (work) => {
      const { url, stop } = await startRedis({ appendonly });
      try {
        return await inFolder((folder) => work({ folder, database: url }));
      } finally {
        await stop();
      }
    },
    close: async () => {},
  };
}
