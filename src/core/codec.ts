import { UndecodableError } from "../errors.js";
import { codecByName } from "./codecs.js";
import { nativeCodecs } from "./native-codecs.js";
import { isPlainJson } from "./plain-json.js";
import { tagKey, toTagged } from "./tagged.js";

export { registerCodec } from "./codecs.js";
export type { Codec } from "./codecs.js";

const start = '{"tagged":';
/** What most tasks return; its text is known. */
const undefinedJson = `${start}${JSON.stringify(toTagged(undefined, ""))}}`;

/**
 * A value as one line of JSON that {@link decode} turns back into an equal value. Plain JSON stays as it is; anything
 * else becomes `{"tagged": …}`, in which each value that JSON has no form for stands as {@link toTagged} writes it. As in
 * JSON, what occurs twice comes back as two copies, and symbol keys, hidden properties, and what an array has beside its
 * elements stay behind.
 *
 * @param path - What the value is called in messages: `args`, `result`.
 * @throws {UnencodableError} naming the path of the first value that cannot be carried.
 */
export function encode(value: unknown, path: string): string {
  if (value === undefined) return undefinedJson;
  const json = isPlainJson(value) ? JSON.stringify(value) : undefined;
  if (json !== undefined && !json.startsWith(start)) return json;
  return `${start}${JSON.stringify(toTagged(value, path))}}`;
}

/**
 * The value that {@link encode} was given.
 *
 * @throws {UndecodableError} when the text is not of its making, or a codec is missing here.
 */
export function decode(text: string): unknown {
  if (text === undefinedJson) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    return text.startsWith(start) ? fromTagged((parsed as { readonly tagged: unknown }).tagged) : parsed;
  } catch (error) {
    if (error instanceof UndecodableError) throw error;
    throw new UndecodableError(`The stored value cannot be read: ${String(error)}`, { cause: error });
  }
}

/** Restores what is tagged, in place: the value was parsed a moment ago, and nobody else has it. */
function fromTagged(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const members = value as Record<string, unknown>;
  if (Object.hasOwn(members, tagKey)) return restored(members);
  for (const key of Object.keys(members)) {
    const member = members[key];
    const restoredMember = fromTagged(member);
    // Never `__proto__`, unless something in it is restored; then as an own property, as JSON.parse made it.
    if (restoredMember !== member) {
      Object.defineProperty(members, key, {
        value: restoredMember,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
  }
  return members;
}

function restored({ [tagKey]: name, v }: Record<string, unknown>): unknown {
  const codec = nativeCodecs.get(String(name)) ?? codecByName(String(name));
  if (codec === undefined) {
    throw new UndecodableError(
      `A value was written by the codec "${String(name)}", which this process does not have. ` +
        "Call registerCodec() in a module that the worker loads too.",
    );
  }
  try {
    return codec.decode(fromTagged(v) as never);
  } catch (cause) {
    if (cause instanceof UndecodableError) throw cause;
    throw new UndecodableError(`The codec "${String(name)}" failed on a stored value: ${String(cause)}`, { cause });
  }
}
