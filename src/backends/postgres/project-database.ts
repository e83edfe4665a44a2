import type { OutboxOptions } from "../../contracts/outbox.js";
import { ChainsAhead } from "../sql/chains-ahead.js";
import type { NumberedFlow } from "../sql/flow-row.js";
import { Held } from "../sql/held.js";
import type { Connections, Queries, Send } from "./connections.js";
import { TakenMembers } from "./taken-members.js";
import type { PostgresSchema } from "./schema.js";
import { statement, type SqlValue, type Statement } from "./statement.js";
import type { WakeUp } from "./wake-up.js";

const find = statement("find-project", "SELECT seq FROM {project} WHERE name = $1");
const enter = statement("enter-project", "INSERT INTO {project} (name) VALUES ($1) ON CONFLICT DO NOTHING");

/** The database as one project sees it. Checks the tables once, before the first use. Parameter 1 is the project's number. */
export class ProjectDatabase implements Queries {
  readonly connections: Connections;
  readonly wakeUp: WakeUp;
  readonly outbox: OutboxOptions | null;
  /** What the consumers of this process know that they hold. */
  readonly held: Held = new Held();
  readonly takenMembers: TakenMembers = new TakenMembers();
  readonly ahead: ChainsAhead<NumberedFlow> = new ChainsAhead();
  readonly #schema: PostgresSchema;
  readonly #name: string;
  #entering: Promise<number> | undefined;

  constructor(parts: {
    readonly connections: Connections;
    readonly schema: PostgresSchema;
    readonly wakeUp: WakeUp;
    readonly project: string;
    readonly outbox: OutboxOptions | null;
  }) {
    this.connections = parts.connections;
    this.wakeUp = parts.wakeUp;
    this.#schema = parts.schema;
    this.#name = parts.project;
    this.outbox = parts.outbox;
  }

  get isClosed(): boolean {
    return this.connections.isClosed;
  }

  async all<Row>(sql: Statement, parameters: readonly SqlValue[] = []): Promise<Row[]> {
    return (await this.#send(sql, parameters)).rows as Row[];
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as `all`, whose shape the statement's author knows
  async first<Row>(sql: Statement, parameters: readonly SqlValue[] = []): Promise<Row | undefined> {
    return (await this.#send(sql, parameters)).rows[0] as Row | undefined;
  }

  async arrays<Row>(sql: Statement, parameters: readonly SqlValue[] = []): Promise<Row[]> {
    return (await this.#send(sql, parameters, true)).rows as Row[];
  }

  async run(sql: Statement, parameters: readonly SqlValue[] = []): Promise<number> {
    return (await this.#send(sql, parameters)).rowCount ?? 0;
  }

  /** All of `work`, or nothing. It may run more than once. */
  async transaction<T>(work: (inside: Queries) => Promise<T>): Promise<T> {
    const project = await this.number();
    return await this.connections.transaction((send) => work(queries(send, project, this.outbox)));
  }

  /** The project's number in this database. @throws {SchemaError} when the tables cannot be used. */
  number(): Promise<number> {
    return (this.#entering ??= this.#enter().catch((error: unknown) => {
      this.#entering = undefined;
      throw error;
    }));
  }

  async #send(sql: Statement, parameters: readonly SqlValue[], isArray = false): ReturnType<Send> {
    return await this.connections.query(sql, [await this.number(), ...parameters], isArray);
  }

  async #enter(): Promise<number> {
    await this.#schema.assertUsable();
    const known = await this.connections.query(find, [this.#name]);
    if (known.rows.length === 0) await this.connections.query(enter, [this.#name]);
    const { rows } = known.rows.length === 0 ? await this.connections.query(find, [this.#name]) : known;
    return (rows[0] as { seq: number }).seq;
  }
}

function queries(send: Send, project: number, outbox: OutboxOptions | null): Queries {
  const sent = (sql: Statement, parameters: readonly SqlValue[] = [], isArray = false) =>
    send(sql, [project, ...parameters], isArray);
  return {
    outbox,
    all: async <Row>(sql: Statement, parameters?: readonly SqlValue[]) => (await sent(sql, parameters)).rows as Row[],
    // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as `all`
    first: async <Row>(sql: Statement, parameters?: readonly SqlValue[]) =>
      (await sent(sql, parameters)).rows[0] as Row | undefined,
    arrays: async <Row>(sql: Statement, parameters?: readonly SqlValue[]) =>
      (await sent(sql, parameters, true)).rows as Row[],
    run: async (sql, parameters) => (await sent(sql, parameters)).rowCount ?? 0,
  };
}
