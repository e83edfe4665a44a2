import { createHash } from "node:crypto";
import { InvalidIdError } from "../errors.js";
import { humanWords } from "./human-words.js";

const bytes = Buffer.alloc(16);
// Its writes are plain instructions; those of Buffer check their arguments each time.
const view = new DataView(bytes.buffer, bytes.byteOffset);
const counterLimit = 0x1000;
/** A clock that steps back by less than this does not break the order of ids. */
const toleratedStepMs = 10_000;
let lastMs = -1;
let counter = 0;

/**
 * A new id: a UUIDv7 (RFC 9562) without dashes, 32 hexadecimal digits. Ids of one process ascend, also within one
 * millisecond and when the clock steps back a little.
 *
 * @param nowMs - Wall time, in milliseconds since 1970.
 * @param random - 10 random bytes, from `at` on.
 */
export function makeId(nowMs: number, random: Uint8Array, at = 0): string {
  const left = random.length - at;
  if (left < 10) throw new RangeError(`An id takes 10 random bytes; ${left} were given.`);
  tick(nowMs, ((random[at]! << 8) | random[at + 1]!) & 0x7ff);
  view.setUint16(0, lastMs / 2 ** 32);
  view.setUint32(2, lastMs);
  view.setUint16(6, 0x7000 | counter);
  // One by one: a view of them would cost more than all else here.
  for (let i = 2; i < 10; i++) bytes[i + 6] = random[at + i]!;
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  return bytes.toString("hex");
}

/** Moves the time on; within one millisecond the counter, which starts at a random low place, takes its turn. */
function tick(nowMs: number, start: number): void {
  const ms = Math.max(0, Math.floor(nowMs));
  if (ms > lastMs || ms < lastMs - toleratedStepMs) {
    lastMs = ms;
    counter = start;
  } else if (++counter === counterLimit) {
    lastMs += 1;
    counter = start;
  }
}

/**
 * The id of something that belongs to `parentId`: always the same for the same parent and part, so that writing it twice
 * leaves one. It sorts beside its parent, because it starts with the same time.
 */
export function deriveId(parentId: string, part: string): string {
  const digest = createHash("sha256").update(`${parentId}\n${part}`).digest("hex");
  const time = /^[0-9a-f]{12}/.exec(parentId)?.[0] ?? "";
  return `${time}${digest}`.slice(0, 32);
}

/**
 * A name for people, made from an id. Counterpart in Django Q2: `humanhash.humanize`, which gives the same words.
 *
 * @param hex - Hexadecimal digits, two for each byte; at least one byte for each word.
 * @throws {InvalidIdError} when `hex` is none, or too short.
 */
export function humanize(hex: string, words = 4, separator = "-"): string {
  if (!/^(?:[0-9a-f]{2})+$/i.test(hex) || hex.length < words * 2 || words < 1) throw new InvalidIdError(hex, words);
  const data = Buffer.from(hex, "hex");
  const size = Math.floor(data.length / words);
  const spoken: string[] = [];
  for (let i = 0; i < words; i++) {
    const segment = data.subarray(i * size, i === words - 1 ? undefined : (i + 1) * size);
    spoken.push(humanWords[segment.reduce((sum, byte) => sum ^ byte, 0)] ?? "");
  }
  return spoken.join(separator);
}

/**
 * The readable name of an id from {@link makeId}: four words from its random part. The first six bytes are the time, and
 * would give all tasks of a minute the same first word.
 */
export function humanName(id: string): string {
  return humanize(/^[0-9a-f]{32}$/.test(id) ? id.slice(12) : id);
}
