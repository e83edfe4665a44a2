import { previousMark } from "./previous.js";

/** Restores a value from what its tag carries. */
export interface NativeCodec {
  readonly decode: (plain: never) => unknown;
}

type ViewClass = new (buffer: ArrayBuffer) => ArrayBufferView;
type Bytes = readonly [type: string, base64: string];
interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly props: readonly (readonly [string, unknown])[];
}

const views = new Set(
  ["Int8", "Uint8", "Uint8Clamped", "Int16", "Uint16", "Int32", "Uint32", "BigInt64", "BigUint64"]
    .concat("Float16", "Float32", "Float64")
    .map((type) => `${type}Array`),
);

/** Whether {@link bytesOf} can carry binary data of that class. */
export function isByteType(type: string): boolean {
  return type === "Buffer" || type === "ArrayBuffer" || type === "DataView" || views.has(type);
}

/** Binary data as base64: a list of numbers would take three times the room, and loses NaN. */
export function bytesOf(value: ArrayBuffer | ArrayBufferView, type: string): Bytes {
  const bytes = ArrayBuffer.isView(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : Buffer.from(value);
  return [type, bytes.toString("base64")];
}

function bytesFrom([type, base64]: Bytes): unknown {
  const bytes = Buffer.from(base64, "base64");
  if (type === "Buffer") return bytes;
  // A copy of its own, because views of several bytes must start at a multiple of their size.
  const { buffer } = new Uint8Array(bytes);
  if (type === "ArrayBuffer") return buffer;
  const View = isByteType(type) ? (globalThis as unknown as Record<string, ViewClass | undefined>)[type] : undefined;
  if (View === undefined) throw new TypeError(`This version of Node.js has no ${type}.`);
  return new View(buffer);
}

/** Name, message, stack, cause and own properties. Classes of the application come back as the built-in one below. */
export function plainError(error: Error): PlainError {
  const own = new Map<string, unknown>(Object.entries(error));
  if (Object.hasOwn(error, "cause")) own.set("cause", error.cause);
  if (error instanceof AggregateError) own.set("errors", error.errors);
  for (const known of ["name", "message", "stack"]) own.delete(known);
  // Anything can be assigned to these three.
  const { name, message, stack }: { name: unknown; message: unknown; stack?: unknown } = error;
  return {
    name: String(name),
    message: String(message),
    ...(typeof stack === "string" ? { stack } : {}),
    props: [...own],
  };
}

const errorTypes = new Map<string, ErrorConstructor>(
  [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError].map((type) => [type.name, type]),
);

function errorFrom({ name, message, stack, props }: PlainError): Error {
  const error =
    name === "AggregateError" ? new AggregateError([], message) : new (errorTypes.get(name) ?? Error)(message);
  if (error.name !== name) define(error, "name", name, false);
  define(error, "stack", stack, false);
  for (const [key, value] of props) define(error, key, value, key !== "cause" && key !== "errors");
  return error;
}

/** Each entry as an own property, `__proto__` too, which must not be assigned. */
function objectFrom(entries: readonly (readonly [string, unknown])[]): object {
  const object = {};
  for (const [key, value] of entries) define(object, key, value, true);
  return object;
}

function define(target: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true });
}

/** What JSON has no form for, by the name in its tag. `Object`: a plain one with a key that would pass for a tag. */
export const nativeCodecs: ReadonlyMap<string, NativeCodec> = new Map<string, NativeCodec>([
  ["undefined", { decode: () => undefined }],
  ["previous", { decode: () => previousMark }],
  ["number", { decode: (text: string) => Number(text) }],
  ["bigint", { decode: (text: string) => BigInt(text) }],
  ["Date", { decode: (text: string) => new Date(text) }],
  ["Map", { decode: (entries: [unknown, unknown][]) => new Map(entries) }],
  ["Set", { decode: (values: unknown[]) => new Set(values) }],
  ["RegExp", { decode: ([source, flags]: [string, string]) => new RegExp(source, flags) }],
  ["URL", { decode: (href: string) => new URL(href) }],
  ["bytes", { decode: bytesFrom }],
  ["Error", { decode: errorFrom }],
  ["Object", { decode: objectFrom }],
]);
