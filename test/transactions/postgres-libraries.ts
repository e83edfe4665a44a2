import { EntitySchema, MikroORM } from "@mikro-orm/postgresql";
import { PrismaPg } from "@prisma/adapter-pg";
import { sql as drizzleSql } from "drizzle-orm";
import { drizzle as drizzleOnPg } from "drizzle-orm/node-postgres";
import { drizzle as drizzleOnPostgresJs } from "drizzle-orm/postgres-js";
import createKnex from "knex";
import { Kysely, PostgresDialect, sql as kyselySql } from "kysely";
import pg from "pg";
import createPostgres from "postgres";
import { Sequelize } from "sequelize";
import { DataSource } from "typeorm";
import { PrismaClient } from "./generated/postgres/client.js";
import type { Library, Opened, Work } from "./library.js";

/** What each library of Postgres calls a transaction. The application's own table is `item (name)`. */
export const postgresLibraries: readonly Library[] = [
  { name: "pg", open: async (url) => openPg(url) },
  { name: "postgres.js", open: async (url) => openPostgresJs(url) },
  { name: "Kysely", open: async (url) => openKysely(url) },
  { name: "Knex", open: async (url) => openKnex(url) },
  { name: "Drizzle on node-postgres", open: async (url) => openDrizzleOnPg(url) },
  { name: "Drizzle on postgres.js", open: async (url) => openDrizzleOnPostgresJs(url) },
  { name: "Prisma", open: async (url) => openPrisma(url) },
  { name: "TypeORM, its entity manager", open: async (url) => openTypeorm(url, "manager") },
  { name: "TypeORM, its query runner", open: async (url) => openTypeorm(url, "runner") },
  { name: "MikroORM", open: async (url) => openMikroOrm(url) },
  { name: "Sequelize", open: async (url) => openSequelize(url) },
];

/** For libraries that have no savepoints of their own. */
async function savepoint(tx: object, run: (sql: string) => Promise<void>, work: Work): Promise<void> {
  await run("SAVEPOINT inner1");
  try {
    await work(tx, run);
  } catch (error) {
    await run("ROLLBACK TO SAVEPOINT inner1");
    throw error;
  }
}

function openPg(url: string): Opened {
  const pool = new pg.Pool({ connectionString: url });
  return {
    database: pool,
    transaction: async (work) => {
      const client = await pool.connect();
      const run = async (text: string): Promise<void> => void (await client.query(text));
      try {
        await run("BEGIN");
        await work(client, run, (inner) => savepoint(client, run, inner));
        await run("COMMIT");
      } catch (error) {
        await run("ROLLBACK");
        throw error;
      } finally {
        client.release();
      }
    },
    close: () => pool.end(),
  };
}

function openPostgresJs(url: string): Opened {
  // What an application may have set must not change what we read.
  const sql = createPostgres(url, { transform: createPostgres.camel, onnotice: () => {} });
  const run = (tx: { unsafe: (text: string) => PromiseLike<unknown> }) => async (text: string) =>
    void (await tx.unsafe(text));
  return {
    database: sql,
    transaction: (work) =>
      sql.begin((tx) => work(tx, run(tx), (inner) => tx.savepoint((nested) => inner(nested, run(nested))))),
    close: () => sql.end(),
  };
}

function openKysely(url: string): Opened {
  const db = new Kysely<object>({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }) });
  return {
    database: db,
    transaction: (work) =>
      db.transaction().execute((tx) => {
        const run = async (text: string): Promise<void> => void (await kyselySql.raw(text).execute(tx));
        return work(tx, run, (inner) => savepoint(tx, run, inner));
      }),
    close: () => db.destroy(),
  };
}

function openKnex(url: string): Opened {
  const knex = createKnex({ client: "pg", connection: url });
  return {
    database: knex,
    transaction: (work) =>
      knex.transaction((trx) =>
        work(
          trx,
          async (text) => void (await trx.raw(text)),
          (inner) => trx.transaction((nested) => inner(nested, async (text) => void (await nested.raw(text)))),
        ),
      ),
    close: () => knex.destroy(),
  };
}

function openDrizzleOnPg(url: string): Opened {
  const pool = new pg.Pool({ connectionString: url });
  const db = drizzleOnPg(pool);
  type Tx = Parameters<Parameters<typeof db.transaction>[0]>[0];
  const run = (tx: Tx) => async (text: string) => void (await tx.execute(drizzleSql.raw(text)));
  return {
    database: db,
    transaction: (work) =>
      db.transaction((tx) => work(tx, run(tx), (inner) => tx.transaction((nested) => inner(nested, run(nested))))),
    close: () => pool.end(),
  };
}

function openDrizzleOnPostgresJs(url: string): Opened {
  const client = createPostgres(url, { onnotice: () => {} });
  const db = drizzleOnPostgresJs(client);
  type Tx = Parameters<Parameters<typeof db.transaction>[0]>[0];
  const run = (tx: Tx) => async (text: string) => void (await tx.execute(drizzleSql.raw(text)));
  return {
    database: db,
    transaction: (work) =>
      db.transaction((tx) => work(tx, run(tx), (inner) => tx.transaction((nested) => inner(nested, run(nested))))),
    close: () => client.end(),
  };
}

function openPrisma(url: string): Opened {
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) });
  return {
    database: prisma,
    transaction: (work) =>
      prisma.$transaction((tx) =>
        work(
          tx,
          async (text) => void (await tx.$executeRawUnsafe(text)),
          (inner) =>
            tx.$transaction((nested) => inner(nested, async (text) => void (await nested.$executeRawUnsafe(text)))),
        ),
      ),
    close: () => prisma.$disconnect(),
  };
}

async function openTypeorm(url: string, what: "manager" | "runner"): Promise<Opened> {
  const source = await new DataSource({ type: "postgres", url }).initialize();
  return {
    database: source,
    transaction: (work) =>
      source.transaction((manager) => {
        const run = async (text: string): Promise<void> => void (await manager.query(text));
        if (what === "runner") {
          const runner = manager.queryRunner!;
          return work(runner, run, (inner) => savepoint(runner, run, inner));
        }
        return work(manager, run, (inner) => manager.transaction((nested) => inner(nested, run)));
      }),
    close: () => source.destroy(),
  };
}

async function openMikroOrm(url: string): Promise<Opened> {
  const Item = new EntitySchema<{ name: string }>({
    name: "Item",
    tableName: "item",
    properties: { name: { type: "string", primary: true } },
  });
  const orm = await MikroORM.init({ clientUrl: url, entities: [Item], connect: true });
  const run =
    (em: typeof orm.em) =>
    async (text: string): Promise<void> =>
      void (await em.getConnection().execute(text, [], "run", em.getTransactionContext()));
  return {
    database: orm.em.fork(),
    transaction: (work) =>
      orm.em
        .fork()
        .transactional((em) =>
          work(em, run(em), (inner) => em.transactional((nested) => inner(nested, run(nested as typeof orm.em)))),
        ),
    close: () => orm.close(),
  };
}

function openSequelize(url: string): Opened {
  const sequelize = new Sequelize(url, { logging: false });
  return {
    database: sequelize,
    transaction: (work) =>
      sequelize.transaction((transaction) => {
        const run = async (text: string): Promise<void> => void (await sequelize.query(text, { transaction }));
        return work(transaction, run, (inner) =>
          sequelize.transaction({ transaction }, (nested) => inner(nested, run)),
        );
      }),
    close: () => sequelize.close(),
  };
}
