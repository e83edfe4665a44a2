import type { Backend, Schema, SchemaStatus } from "../../contracts/backend.js";
import type { OutboxOptions } from "../../contracts/outbox.js";
import { apartBroker } from "./broker.js";
import { Courier } from "./courier.js";
import type { ApartContext, Pace } from "./context.js";
import { over } from "./over.js";
import { Routes } from "./routes.js";
import { apartStore } from "./store.js";

/** The technologies that share the roles. */
export interface Roles {
  /** Keeps the tasks. Opened with `outbox` when there is a `broker`. */
  readonly store: Backend;
  /** Carries messages in its place. */
  readonly broker?: Backend | undefined;
  /** Carry one queue each in its place. The store was opened with their names in `outbox`, and there is no `broker` then. */
  readonly apart?: ReadonlyMap<string, Backend> | undefined;
  /** Keeps short-lived text in its place. */
  readonly cache?: Backend | undefined;
  /** What the store was opened with. */
  readonly outbox?: OutboxOptions | undefined;
  /** For tests. */
  readonly pace?: Partial<Pace> | undefined;
}

/** The longest time a task spends in a broker elsewhere before it is due, in milliseconds. Longer delays wait in the store, where they can be cancelled. */
const longestAheadMs = 15 * 60_000;

/** How long after it was sent a task is sent again whatever the broker says, in milliseconds. */
const resendMs = 60 * 60_000;

/** Leases that a task may be missing for when the broker says that it has nothing. */
const missingLeases = 2;

/**
 * What a store has to know of the broker that carries its tasks. Only data.
 *
 * @param queues - Those whose tasks are carried, when not all are.
 */
export function outboxFor(broker: Pick<Backend, "broker">, leaseMs: number, queues?: readonly string[]): OutboxOptions {
  const aheadMs = Math.min(broker.broker.capabilities.maxDelayMs, longestAheadMs);
  const missingMs = leaseMs * missingLeases;
  return { aheadMs, handMs: leaseMs, resendMs: Math.max(resendMs, missingMs * 2), missingMs, queues };
}

/**
 * One backend from several technologies: the store has the truth, a broker elsewhere carries ids, a cache elsewhere keeps
 * what may be lost. What may die at which point, and why nothing is lost, stands in `docs/decisions/broker-apart.md`.
 * Disposing of it closes all of them.
 */
export function composeBackend(roles: Roles): Backend {
  const { store, broker, apart = new Map<string, Backend>(), cache } = roles;
  const parts = [store, broker, ...apart.values(), cache].filter((part) => part !== undefined);
  const shared = { cache: (cache ?? store).cache, schema: schemaOf(parts) };
  const close = async (): Promise<void> => {
    for (const part of parts.toReversed()) await part[Symbol.asyncDispose]();
  };
  const routes = new Routes(broker?.broker, new Map([...apart].map(([queue, part]) => [queue, part.broker])));
  if (routes.brokers.length === 0) return over<Backend>(store, { ...shared, [Symbol.asyncDispose]: close });
  const context = contextOf(roles, routes);
  return over<Backend>(store, {
    ...shared,
    outbox: undefined,
    broker: apartBroker(context),
    store: apartStore(context),
    async [Symbol.asyncDispose]() {
      for (const consumer of context.consumers.values()) consumer.abandon();
      await context.courier.close();
      await close();
    },
  });
}

function contextOf({ store, outbox: options, pace }: Roles, routes: Routes): ApartContext {
  const { outbox } = store;
  if (outbox === undefined || options === undefined) throw new TypeError("The store was opened without an outbox.");
  return {
    store,
    routes,
    outbox,
    options,
    courier: new Courier(routes, outbox, options),
    consumers: new Map(),
    looks: new Set(),
    pace: { lookMs: 250, missingMs: options.missingMs / 2, pollMs: 1_000, ...pace },
  };
}

/** The tables of all parts. The status is that of the part that is furthest behind. */
function schemaOf(parts: readonly Backend[]): Schema {
  return {
    async status() {
      const all: SchemaStatus[] = [];
      for (const { schema } of parts) all.push(await schema.status());
      const behind = all.find(({ version, wanted }) => version < wanted);
      return behind ?? all.find(({ wanted }) => wanted > 0) ?? all[0]!;
    },
    async migrate() {
      const applied: number[] = [];
      for (const { schema } of parts) applied.push(...(await schema.migrate()));
      return applied;
    },
    async sql(which) {
      const scripts: string[] = [];
      for (const { schema } of parts) scripts.push(await schema.sql(which));
      return scripts.filter((script) => script.trim() !== "").join("\n");
    },
  };
}
