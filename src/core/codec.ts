import { SuperJSON } from "superjson";
import { UndecodableError } from "../errors.js";
import { Carried, toCarried } from "./carried.js";
import { codecByName } from "./codecs.js";
import { nativeCodecs } from "./native-codecs.js";
import { isPlainJson } from "./plain-json.js";

export { registerCodec } from "./codecs.js";
export type { Codec } from "./codecs.js";

interface Rich {
  readonly json: unknown;
  readonly meta?: { readonly values?: object; readonly v: number } | undefined;
}
interface CarriedJson extends Rich {
  readonly codec: string;
}

const rich = new SuperJSON();
rich.registerCustom<Carried, never>(
  {
    isApplicable: (value): value is Carried => value instanceof Carried,
    serialize: ({ codec, plain }) => ({ codec, ...toRich(plain) }) as never,
    deserialize: (value) => fromCarriedJson(value) as Carried,
  },
  "codec",
);

/** What most tasks return; its text is known. */
const undefinedJson = '{"json":null,"meta":{"values":["undefined"],"v":1}}';

/**
 * A value as one line of JSON that {@link decode} turns back into an equal value. Plain JSON stays as it is; anything
 * else becomes `{"json": …, "meta": …}`, as superjson writes it. As in JSON, what occurs twice comes back as two copies, and
 * symbol keys, hidden properties, and what an array has beside its elements stay behind.
 *
 * @param path - What the value is called in messages: `args`, `result`.
 * @throws {UnencodableError} naming the path of the first value that cannot be carried.
 */
export function encode(value: unknown, path: string): string {
  if (value === undefined) return undefinedJson;
  if (isPlainJson(value) && !looksRich(value)) return JSON.stringify(value);
  const { json, meta } = toRich(toCarried(value, path));
  return JSON.stringify(meta === undefined && !looksRich(json) ? json : { json, meta: meta ?? { v: 1 } });
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
    return text.startsWith('{"json":') && looksRich(parsed) ? fromRich(parsed) : parsed;
  } catch (error) {
    if (error instanceof UndecodableError) throw error;
    throw new UndecodableError(`The stored value cannot be read: ${String(error)}`, { cause: error });
  }
}

function looksRich(value: unknown): value is Rich {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "json") && Object.hasOwn(value, "meta");
}

function toRich(value: unknown): Rich {
  const { json, meta } = rich.serialize(value);
  // Equal references are left out: superjson loses the order of sets and maps over them.
  return meta?.values === undefined ? { json } : { json, meta: { values: meta.values, v: 1 } };
}

function fromRich({ json, meta }: Rich): unknown {
  const annotated = { json, meta: { values: meta?.values, v: 1 } } as Parameters<typeof rich.deserialize>[0];
  return rich.deserialize(annotated, { inPlace: true });
}

function fromCarriedJson({ codec, ...plain }: CarriedJson): unknown {
  const known = nativeCodecs.get(codec) ?? codecByName(codec);
  if (known === undefined) {
    throw new UndecodableError(
      `A value was written by the codec "${codec}", which this process does not have. ` +
        "Call registerCodec() in a module that the worker loads too.",
    );
  }
  try {
    return known.decode(fromRich(plain) as never);
  } catch (cause) {
    if (cause instanceof UndecodableError) throw cause;
    throw new UndecodableError(`The codec "${codec}" failed on a stored value: ${String(cause)}`, { cause });
  }
}
