import { InvalidCodecError } from "../errors.js";
import { nativeCodecs } from "./native-codecs.js";

/** How values of a class are carried. */
export interface Codec<T extends object = object, P = unknown> {
  /** The class. Instances of subclasses are carried too, unless the subclass has a codec of its own. */
  readonly type: abstract new (...args: never[]) => T;
  /** What makes up the value: anything a task can carry. Must not depend on anything but the value. */
  readonly encode: (value: T) => P;
  readonly decode: (plain: P) => T;
}

export interface NamedCodec extends Codec {
  readonly name: string;
}

interface Codecs {
  readonly byName: Map<string, NamedCodec>;
  readonly byClass: Map<unknown, NamedCodec>;
}

const key = Symbol.for("qluster.codecs.1");
const globals = globalThis as typeof globalThis & { [key]?: Codecs };

// Process-wide, like the registry of tasks: loaders can give a module a copy of this one.
const codecs: Codecs = (globals[key] ??= { byName: new Map(), byClass: new Map() });

/**
 * Lets tasks carry instances of a class, as arguments and as results. Register it where the class is defined, so that
 * every process that meets such a value has it.
 *
 * @param name - Stands in stored messages: keep it when the class is renamed. The same name again replaces the codec.
 * @throws {InvalidCodecError} when the name is empty or one of ours, or a part is missing.
 */
export function registerCodec<T extends object, P>(name: string, codec: Codec<T, P>): void {
  const fault = faultOf(name, codec);
  if (fault !== undefined) throw new InvalidCodecError(name, fault);
  const named = { ...codec, name } as unknown as NamedCodec;
  codecs.byName.set(name, named);
  codecs.byClass.set(codec.type, named);
}

function faultOf(name: string, codec: { readonly [Part in keyof Codec]: unknown }): string | undefined {
  if (name === "") return "it has no name";
  if (nativeCodecs.has(name)) return "Qluster uses that name itself; choose another one";
  const missing = (["type", "encode", "decode"] as const).find((part) => typeof codec[part] !== "function");
  return missing === undefined
    ? undefined
    : `its \`${missing}\` is ${typeof codec[missing]}, not a ${missing === "type" ? "class" : "function"}`;
}

export function codecByName(name: string): NamedCodec | undefined {
  return codecs.byName.get(name);
}

/** The codec of the value's class, or of the nearest class above it. */
export function codecFor(value: object): NamedCodec | undefined {
  if (codecs.byClass.size === 0) return undefined;
  for (let proto = prototypeOf(value); proto !== null; proto = prototypeOf(proto)) {
    const found = Object.hasOwn(proto, "constructor") ? codecs.byClass.get(proto.constructor) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function prototypeOf(value: object): object | null {
  return Object.getPrototypeOf(value) as object | null;
}
