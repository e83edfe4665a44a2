import assert from "node:assert/strict";
import type { Delivery } from "../../contracts/broker.js";
import type { Hold } from "../../contracts/outbox.js";
import type { Settlement } from "../../contracts/store.js";
import { idOf } from "../messages.js";
import { givenBack, hookOf, newTask, retrying, stateOf, succeeded } from "../tasks.js";
import { pass, shortLease } from "../waiting.js";
import {
  answers,
  beginOne,
  finish,
  hold,
  openOutbox,
  times,
  unsent,
  type OutboxSuite,
  type WithOutbox,
} from "./open.js";

const { handMs, resendMs } = times;

/** How a task comes back, and what follows from its end. */
export function returnPromises(suite: OutboxSuite): void {
  suite.describe("giving back", () => {
    backPromises(suite);
    takeoverPromises(suite);
  });
  suite.describe("follow-ups", () => followUpPromises(suite));
}

type GiveBack = (backend: WithOutbox, owner: Hold, delivery: Delivery) => Promise<unknown>;

function backPromises(suite: OutboxSuite): void {
  const { it, clock } = suite;

  for (const [how, give, deliveries] of [
    ["released", (_, owner, { receipt }) => owner.release([receipt]), 1],
    ["released as a suspect", (_, owner, { receipt }) => owner.release([receipt], { suspect: true }), 3],
    ["given back by its settlement", (backend, owner, taken) => finish(backend, owner, givenBack()(taken)), 1],
    ["tried again", (backend, owner, taken) => finish(backend, owner, retrying(0)(taken)), 1],
    ["given back because its hold was closed", (_, owner) => owner.close(), 1],
  ] as const satisfies readonly (readonly [string, GiveBack, number])[]) {
    it(`leaves to the broker what was ${how}, and sends it again when it never comes`, async () => {
      await using backend = await openOutbox(suite);
      const owner = await hold(backend);
      const other = await hold(backend);
      await backend.store.submit([newTask("t"), newTask("u")]);

      for (const name of ["t", "u"]) {
        const one = name === "t" ? owner : await hold(backend);
        await give(backend, one, await beginOne(one, name));
      }
      await clock.advance(handMs + 1);
      const early = await unsent(other, ["t", "u"]);
      const begun = await beginOne(other, "t");
      await clock.advance(resendMs);

      assert.deepEqual(early, []);
      assert.equal(begun.deliveries, deliveries);
      assert.deepEqual(await unsent(other, ["t", "u"]), ["u"]);
    });
  }

  for (const [how, give] of [
    ["released", (_, owner, { receipt }) => owner.release([receipt], { delayMs: 2_000 })],
    ["given back by its settlement", (backend, owner, taken) => finish(backend, owner, givenBack(2_000)(taken))],
    ["tried again", (backend, owner, taken) => finish(backend, owner, retrying(2_000)(taken))],
  ] as const satisfies readonly (readonly [string, GiveBack])[]) {
    it(`keeps in the store what was ${how} with a delay that is too long for the broker`, async () => {
      await using backend = await openOutbox(suite, { aheadMs: 500 });
      const owner = await hold(backend);
      await backend.store.submit([newTask("t")]);
      await give(backend, owner, await beginOne(owner, "t"));
      await backend.outbox.sent([idOf("t")]);

      await clock.advance(1_000);
      const early = [await unsent(owner, ["t"]), await answers(owner, "t")];
      await clock.advance(800);

      assert.deepEqual(early, [[], ["later"]]);
      assert.deepEqual(await unsent(owner, ["t"]), ["t"]);
    });
  }
}

function takeoverPromises(suite: OutboxSuite): void {
  const { it, clock } = suite;
  const leaseMs = shortLease;

  it("sends again what a dead hold had, when the broker never hands it out: looking is enough", async () => {
    await using backend = await openOutbox(suite);
    const dead = await hold(backend, { leaseMs });
    const heir = await hold(backend, { leaseMs });
    await backend.store.submit([newTask("t")]);
    await beginOne(dead, "t");

    await pass(clock, leaseMs * 1.5, [heir]);
    const first = await unsent(heir, ["t"]);
    await pass(clock, resendMs + 1, [heir]);

    assert.deepEqual([first, await unsent(heir, ["t"])], [[], ["t"]]);
    assert.equal((await beginOne(heir, "t")).deliveries, 2);
  });
}

function followUpPromises(suite: OutboxSuite): void {
  const { it, clock } = suite;

  it("are unsent when their task has ended, and sent by others when their writer may have died", async () => {
    await using backend = await openOutbox(suite);
    const owner = await hold(backend);
    await backend.store.submit([newTask("t"), newTask("waiting")]);
    const delivery = await beginOne(owner, "t");
    const followUps = [hookOf("t"), newTask("next", { delayMs: 30_000 })];

    await finish(backend, owner, succeeded(delivery, { followUps }));
    await backend.store.cancel(idOf("waiting"), [hookOf("waiting")]);
    await backend.store.saveFinished(newTask("here"), savedEnd("here"));

    const names = ["hook of t", "next", "hook of waiting", "hook of here"];
    const early = await unsent(owner, names);
    await clock.advance(handMs + 1);
    assert.deepEqual([early, (await unsent(owner, names)).toSorted()], [[], names.toSorted()]);
  });

  it("of an ending that came too late are not there", async () => {
    await using backend = await openOutbox(suite);
    const owner = await hold(backend);
    await backend.store.submit([newTask("t")]);
    const delivery = await beginOne(owner, "t");
    await owner.release([delivery.receipt]);

    const [ours] = await backend.store.finish(owner.id, [succeeded(delivery, { followUps: [hookOf("t")] })]);

    assert.deepEqual([ours, await stateOf(backend, "hook of t")], [false, "unknown"]);
  });
}

/** Sync mode: it ran in the caller's process. */
function savedEnd(name: string): Omit<Settlement, "receipt"> {
  const outcome = { to: "succeeded", result: "r", keep: true } as const;
  return { id: idOf(name), attempt: null, outcome, followUps: [hookOf(name)] };
}
