import type {
  ConsumeOptions,
  Consumer,
  Delivery,
  Receipt,
  ReleaseOptions,
  RunningTask,
  TakeOptions,
} from "../../contracts/broker.js";
import type { Clock } from "../../contracts/clock.js";
import { LeaseLostError } from "../../errors.js";
import { acknowledge, release } from "./held-messages.js";
import type { DatabaseFile } from "./database-file.js";
import { claim, isAnythingWaiting, nextDue, promote } from "./claim.js";
import { closeLease, renewLease, shortenLeases, takeOver } from "./lease.js";
import { Pause } from "../sql/pause.js";
import type { ProjectFile, Session } from "./project-file.js";

export interface ConsumerParts {
  readonly file: ProjectFile;
  readonly disk: DatabaseFile;
  readonly clock: Clock;
  /** The longest time between two looks, in milliseconds, should a wake-up get lost. */
  readonly safetyMs: number;
}

/** Clocks are read a moment apart; a lease that ends later than it ever could by more than this, in milliseconds, says that they were set back. */
const skewMs = 1_000;

/** What a look found, and when the next one is worth its while. */
interface Look {
  readonly deliveries: Delivery[];
  readonly nextAt: number;
}

/** A hold on messages in the file. */
export class SqliteConsumer implements Consumer {
  readonly id: string;
  readonly #seq: number;
  readonly #parts: ConsumerParts;
  readonly #queues: readonly string[];
  readonly #leaseMs: number;
  readonly #waiting = new Set<Pause>();
  /** The lease has held without a gap since then: only who was never silent itself takes over from the silent. */
  #unbrokenSince: number;
  #expiresAt: number;

  constructor(seq: number, options: ConsumeOptions, openedAt: number, parts: ConsumerParts) {
    this.id = String(seq);
    this.#seq = seq;
    this.#parts = parts;
    this.#queues = [...options.queues];
    this.#leaseMs = options.leaseMs;
    this.#unbrokenSince = openedAt;
    this.#expiresAt = openedAt + options.leaseMs;
  }

  async take(options: TakeOptions): Promise<Delivery[]> {
    const { max, waitMs, signal } = options;
    const queues = (options.from ?? this.#queues).filter((queue) => this.#queues.includes(queue));
    if (isAborted(signal) || max <= 0) return [];
    const { deliveries } = await this.#look(queues, max);
    if (deliveries.length > 0 || waitMs <= 0 || isAborted(signal)) return deliveries;
    return this.#wait(queues, options);
  }

  async acknowledge(receipts: readonly Receipt[]): Promise<boolean[]> {
    if (receipts.length === 0) return [];
    return this.#parts.file.write((session) => acknowledge(session, this.#seq, receipts));
  }

  async release(receipts: readonly Receipt[], options: ReleaseOptions = {}): Promise<void> {
    if (receipts.length === 0) return;
    await this.#parts.file.write((session) => release(session, this.#seq, receipts, options));
    this.#parts.file.wakeUp.changed();
  }

  async renew(running: readonly RunningTask[]): Promise<void> {
    this.#parts.disk.assertInPlace();
    const renewedAt = await this.#parts.file.write((session) =>
      renewLease(session, this.#seq, running) ? session.now : undefined,
    );
    if (renewedAt === undefined) throw new LeaseLostError(this.id);
    if (this.#expiresAt <= renewedAt) this.#unbrokenSince = renewedAt;
    this.#followClock(renewedAt);
    this.#expiresAt = renewedAt + this.#leaseMs;
  }

  /**
   * Runs `work` in one write under the living lease, after taking over from the dead.
   *
   * @param glance - Reads first: an answer of its own means that there is nothing to write.
   * @throws {LeaseLostError}
   */
  async underLease<T>(work: (session: Session) => T, glance?: (session: Session) => T | undefined): Promise<T> {
    const { file } = this.#parts;
    if (glance !== undefined) {
      const seen = await file.read((session) =>
        this.#nextTakeover(session) <= session.now ? undefined : glance(session),
      );
      if (seen !== undefined) return seen;
    }
    const { value, hasTakenOver } = await file.write((session) => {
      const taken = this.#takeOverIfDue(session);
      return { value: work(session), hasTakenOver: taken };
    });
    if (hasTakenOver) file.wakeUp.changed();
    return value;
  }

  async close(): Promise<void> {
    await this.#parts.file.write((session) => closeLease(session, this.#seq));
    for (const pause of this.#waiting) pause.end();
    this.#parts.file.wakeUp.changed();
  }

  async #wait(queues: readonly string[], { max, waitMs, signal }: TakeOptions): Promise<Delivery[]> {
    const { clock, file, safetyMs } = this.#parts;
    const until = performance.now() + waitMs;
    const pause = new Pause();
    const wake = (): void => pause.end();
    const stopListening = file.wakeUp.listen(wake);
    signal?.addEventListener("abort", wake);
    this.#waiting.add(pause);
    try {
      for (;;) {
        pause.reset();
        const { deliveries, nextAt } = await this.#look(queues, max);
        const left = until - performance.now();
        if (deliveries.length > 0 || left <= 0 || isAborted(signal) || file.isClosed) return deliveries;
        await pause.wait(Math.min(left, nextAt - clock.now(), safetyMs));
        if (isAborted(signal) || file.isClosed) return [];
      }
    } finally {
      this.#waiting.delete(pause);
      signal?.removeEventListener("abort", wake);
      stopListening();
    }
  }

  /** Reads first, so that an idle consumer never asks for the write lock. */
  async #look(queues: readonly string[], max: number): Promise<Look> {
    const { file } = this.#parts;
    const { isDue, isWorth, nextAt } = await file.read((session) => this.#glance(session, queues));
    if (!isWorth) return { deliveries: [], nextAt };
    const { deliveries, hasTakenOver } = await file.write((session) => {
      const taken = this.#takeOverIfDue(session);
      if (isDue) promote(session);
      return { deliveries: claim(session, this.#seq, queues, max), hasTakenOver: taken };
    });
    if (hasTakenOver) file.wakeUp.changed();
    return { deliveries, nextAt: 0 };
  }

  #glance(session: Session, queues: readonly string[]): { isDue: boolean; isWorth: boolean; nextAt: number } {
    const dueAt = nextDue(session);
    const nextAt = Math.min(dueAt, this.#nextTakeover(session));
    const isWorth = nextAt <= session.now || isAnythingWaiting(session, queues);
    return { isDue: dueAt <= session.now, isWorth, nextAt };
  }

  /** The clock was set back: without this, our own lease would count as unbroken from a time to come. */
  #followClock(now: number): void {
    if (this.#unbrokenSince > now) this.#unbrokenSince = now;
    if (this.#expiresAt > now + this.#leaseMs) this.#expiresAt = now + this.#leaseMs;
  }

  #takeOverIfDue(session: Session): boolean {
    shortenLeases(session, skewMs);
    return this.#nextTakeover(session) <= session.now && takeOver(session, this.#seq);
  }

  /** When the next lease of another consumer ends, and ours has held long enough to take over. Checks our own too. */
  #nextTakeover(session: Session): number {
    const leases = session.all<{ seq: number; lease_ms: number; expires_at: number }>(
      "SELECT seq, lease_ms, expires_at FROM qluster_consumer WHERE project = ?",
      [session.project],
    );
    if (!leases.some(({ seq }) => seq === this.#seq)) throw new LeaseLostError(this.id);
    this.#followClock(session.now);
    if (leases.some(({ lease_ms, expires_at }) => expires_at > session.now + lease_ms + skewMs)) return session.now;
    if (this.#expiresAt <= session.now) return Infinity;
    const others = leases.filter(({ seq }) => seq !== this.#seq).map(({ expires_at }) => expires_at);
    return Math.max(Math.min(...others), this.#unbrokenSince + this.#leaseMs);
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
