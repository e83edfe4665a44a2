import type { UnsentMessage } from "../../contracts/outbox.js";
import type { Flows } from "../../contracts/flows.js";
import type { Schedules } from "../../contracts/schedules.js";
import type { NewTask, Store } from "../../contracts/store.js";
import type { ApartContext } from "./context.js";
import { over } from "./over.js";

/** The store, with a courier: what is written is sent, what has ended is taken out of the broker. */
export function apartStore(context: ApartContext): Store {
  const { courier, consumers } = context;
  const { store } = context.store;

  const send = async (tasks: readonly NewTask[]): Promise<void> => {
    const carried = tasks.filter(({ queue }) => courier.carries(queue));
    if (carried.length > 0) await courier.send(await messagesFor(store, carried));
  };

  return over<Store>(store, {
    capabilities: { ...store.capabilities, atomic: false },

    async submit(tasks) {
      const answers = await store.submit(tasks);
      // Those that were known under their own id too: the producer repeats itself because it does not know how far it came.
      await send(tasks.filter(({ id }, index) => answers[index]?.id === id));
      return answers;
    },

    schedules: over<Schedules>(store.schedules, {
      async change(changes) {
        const answers = await store.schedules.change(changes);
        await send(changes.flatMap(({ tasks }, index) => (answers[index] === "done" ? tasks : [])));
        return answers;
      },
    }),

    flows: store.flows === undefined ? undefined : flowsWith(store.flows, send),

    async saveFinished(task, settlement) {
      await store.saveFinished(task, settlement);
      await send(settlement.followUps);
    },

    async finish(consumer, settlements) {
      const answers = await store.finish(consumer, settlements);
      const followUps = settlements.flatMap((settlement, index) => (answers[index] ? settlement.followUps : []));
      const owner = consumers.get(consumer);
      await Promise.all([owner?.ended(settlements, answers), send(followUps)]);
      return answers;
    },

    async cancel(id, followUps = []) {
      const answer = await store.cancel(id, followUps);
      if (answer === "cancelled") await send(followUps);
      return answer;
    },
  });
}

/** The members of a first step, and of one that is resumed, are sent as well; those of later steps by the pump. */
function flowsWith(flows: Flows, send: (tasks: readonly NewTask[]) => Promise<void>): Flows {
  return over<Flows>(flows, {
    async open(flow, members) {
      await flows.open(flow, members);
      await send(members.slice(0, flow.steps[0] ?? 0));
    },
    async resume(id, run, again, expiresMs) {
      const isResumed = await flows.resume(id, run, again, expiresMs);
      if (isResumed) await send(again);
      return isResumed;
    },
  });
}

/** An instant is compared with the store's clock; a delay needs none. */
async function messagesFor(store: Store, tasks: readonly NewTask[]): Promise<UnsentMessage[]> {
  const now = tasks.some(({ dueAt }) => dueAt !== null) ? await store.now().catch(() => undefined) : 0;
  // Without the store's clock they are left to the outbox.
  if (now === undefined) return [];
  return tasks.map(({ id, queue, priority, delayMs, dueAt }) => {
    return { id, queue, priority, delayMs: Math.max(0, delayMs, dueAt === null ? 0 : dueAt - now) };
  });
}
