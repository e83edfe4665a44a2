import { randomUUID } from "node:crypto";
import type { Backend } from "../contracts/backend.js";
import type { BrokerCapabilities } from "../contracts/broker.js";
import type { TestClock } from "./manual-clock.js";

/** What every suite needs: a runner, a clock, and a way to open what is tested. */
export interface Suite {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: TestFunction;
  /** Opens the backend. A place not used before is empty; the same place twice is the same store. */
  readonly open: (where: Where) => Promise<Backend>;
  /** The clock that the backend under test reads, or `realClock()`. */
  readonly clock: TestClock;
}

/** `it` of vitest, node:test, jest or mocha. */
export interface TestFunction {
  (name: string, body: () => Promise<void>): unknown;
}

/** Where a test opens a backend. */
export interface Where {
  /** Letters, digits and hyphens. A file, a database, a prefix: as the backend likes. */
  readonly place: string;
  readonly project: string;
  /** Whether to create the tables when opening. */
  readonly migrate: boolean;
}

/** A suite for brokers is told what the broker promises beyond the minimum, and checks that it says so itself. */
export interface BrokerSuite extends Suite {
  readonly capabilities: BrokerCapabilities;
}

/** A place that no test has used. */
export function newPlace(): string {
  return `place-${randomUUID()}`;
}

/** An empty backend, its tables made. */
export function openEmpty(suite: Suite, where: Partial<Where> = {}): Promise<Backend> {
  return suite.open({ place: newPlace(), project: "shop", migrate: true, ...where });
}

/**
 * A test that only holds with a capability. Without it the test is left out, and a line of the report says why.
 *
 * @param reason - The capability that is missing.
 */
export function itIf(suite: Suite, capable: boolean, reason: string): TestFunction {
  if (capable) return suite.it;
  return (name) => suite.it(`does not promise: ${name} (${reason})`, async () => {});
}
