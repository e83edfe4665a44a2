import { quote } from "../core/quote.js";
import type { Problems } from "./problems.js";
import type { DatabaseAddress } from "./resolved.js";

const known = new Set(["backend", "location"]);

/** Takes `{ backend: <function>, location }` apart. */
export function readOwnBackend(
  value: Readonly<Record<string, unknown>>,
  path: string,
  problems: Problems,
): DatabaseAddress | undefined {
  const { backend, location = "" } = value;
  const other = Object.keys(value).find((key) => !known.has(key));
  if (other !== undefined) {
    problems.add(`${path}: the key ${quote(other)} does not belong beside "backend"; "location" does.`);
    return undefined;
  }
  if (typeof backend !== "function") {
    problems.wrong(`${path}.backend`, backend, "a function that opens a backend, as qluster/contracts describes it");
    return undefined;
  }
  if (typeof location !== "string") {
    problems.wrong(`${path}.location`, location, "a text, which is handed to the function");
    return undefined;
  }
  return { scheme: "backend", location, client: backend };
}

/** Without the location: nobody here knows what is secret in it. */
export function showOwnBackend({ client }: DatabaseAddress): string {
  const { name } = client as { readonly name: string };
  return `the application's own backend${name === "" || name === "backend" ? "" : ` (${name})`}`;
}
