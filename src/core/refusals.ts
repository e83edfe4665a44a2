import { types } from "node:util";
import { UnencodableError } from "../errors.js";

/** Why a value cannot be carried, and what to do instead. */
export function refused(path: string, value: object | symbol): UnencodableError {
  if (typeof value === "symbol") return new UnencodableError(path, `is ${String(value)}`, "Pass a string.");
  if (typeof value === "function") {
    return new UnencodableError(path, functionText(value), "Pass data; name tasks by their registered name.");
  }
  if (types.isPromise(value)) return new UnencodableError(path, "is a Promise", "Await it first.");
  const type = typeNameOf(value);
  if (type === "" || type === "Object") {
    return new UnencodableError(path, "is an object with a prototype of its own", "Pass a plain object: { ...value }.");
  }
  const article = /^[AEIOU]/.test(type) ? "an" : "a";
  const advice = `Pass plain data such as an id, or register a codec for ${type} with registerCodec().`;
  return new UnencodableError(path, `is ${article} ${type}`, advice);
}

function functionText(value: object): string {
  const name = "name" in value && typeof value.name === "string" ? value.name : "";
  if (name === "") return "is a function";
  return /^class\b/.test(Function.prototype.toString.call(value)) ? `is the class ${name}` : `is the function ${name}`;
}

/** The name of the value's class; empty without one. */
export function typeNameOf(value: object): string {
  const prototype = Object.getPrototypeOf(value) as { readonly constructor?: unknown } | null;
  const type = prototype?.constructor;
  return typeof type === "function" ? type.name : "";
}
