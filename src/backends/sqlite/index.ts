import type { Backend, BackendOptions, OpenBackend } from "../../contracts/backend.js";
import type { Clock } from "../../contracts/clock.js";
import type { SqlRow } from "../../contracts/transaction.js";
import { refuseReplicas } from "../sql/refuse-replicas.js";
import { sqliteBroker } from "./broker.js";
import { sqliteCache } from "./cache.js";
import { Connection } from "./connection.js";
import { assertFileLocation, createFolderOf, DatabaseFile } from "./database-file.js";
import { driverOf, loadDriver, type SqliteClass, type SqliteDriver } from "./driver.js";
import { sqliteOutbox } from "./outbox.js";
import { ProjectFile } from "./project-file.js";
import { SqliteSchema } from "./schema.js";
import { sqliteStore } from "./store.js";
import { buildSql, buildText, SqliteWriter } from "./transactions.js";
import { WakeUp } from "./wake-up.js";

/** A look every so often, in milliseconds, in case a wake-up got lost. */
const safetyMs = 30_000;
/** The same with a clock that a test moves: no timer knows when it jumps. */
const manualSafetyMs = 20;

const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/**
 * Broker, store and cache in one SQLite file; the application's own tables may live in it too. Every process on this
 * machine that opens the file shares them.
 *
 * @param options - `location`: the absolute path of the file. Its folder is created.
 */
export const openBackend: OpenBackend = async (options, clock) => openSqlite(options, await loadDriver(), clock);

/** The same with the SQLite that the application itself uses. @param sqlite - The class of its library. */
export async function openBackendWith(options: BackendOptions, sqlite: SqliteClass): Promise<Backend> {
  return await openSqlite(options, driverOf(sqlite));
}

/** The same with a driver of the caller's choice. */
export async function openSqlite(options: BackendOptions, driver: SqliteDriver, clock?: Clock): Promise<Backend> {
  const time = clock ?? systemClock;
  refuseReplicas(options.durability, "SQLite");
  assertFileLocation(options.location);
  createFolderOf(options.location);
  const connection = await Connection.open(driver, options, time);
  try {
    const disk = new DatabaseFile(options.location);
    const schema = new SqliteSchema(connection, time, options.location);
    if (options.migrate) {
      await schema.migrate();
      await connection.read(() => schema.assertUsable());
    }
    const wakeUp = new WakeUp({
      file: disk.path,
      dataVersion: () => connection.dataVersion(),
      trustEvents: process.platform === "linux",
    });
    const { project, outbox = null } = options;
    const file = new ProjectFile({ connection, schema, clock: time, wakeUp, project, outbox });
    const parts = { file, disk, clock: time, safetyMs: clock === undefined ? safetyMs : manualSafetyMs };
    return {
      broker: sqliteBroker(parts, driver.name),
      store: sqliteStore(parts),
      cache: sqliteCache(file),
      schema,
      ...(outbox === null ? {} : { outbox: sqliteOutbox(parts, outbox) }),
      transactions: new SqliteWriter({
        location: options.location,
        project,
        outbox,
        now: () => time.now(),
        ready: () => file.ready(),
        library: { name: driver.name, build: await connection.read(() => buildOf(connection)) },
      }),
      async [Symbol.asyncDispose]() {
        connection.close();
        wakeUp.end();
      },
    };
  } catch (error) {
    connection.close();
    throw error;
  }
}

function buildOf(connection: Connection): string {
  return buildText(connection.all<SqlRow>(buildSql, []));
}

/** Its driver blocks the thread that calls it, so a cluster gives it one of its own. */
export const synchronous = true;
