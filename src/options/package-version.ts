import { readFileSync } from "node:fs";

/** The version of this package, from its own package.json. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return isManifest(manifest) ? manifest.version : "unknown";
}

function isManifest(value: unknown): value is { readonly version: string } {
  return typeof value === "object" && value !== null && "version" in value && typeof value.version === "string";
}
