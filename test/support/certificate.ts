import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { install } from "./postgres-server.js";

/** Files of a server that encrypts, and of whoever signed its certificate. */
export interface Certificate {
  readonly folder: string;
  readonly certificate: string;
  readonly key: string;
}

/** A certificate for 127.0.0.1 and localhost, signed by itself, in a folder of its own that is the caller's to remove. */
export function makeCertificate(): Certificate {
  if (!["/usr/bin/openssl", "/usr/local/bin/openssl", "/opt/homebrew/bin/openssl"].some(existsSync)) install("openssl");
  const folder = mkdtempSync(join(tmpdir(), "qluster-tls-"));
  const [certificate, key] = [join(folder, "server.crt"), join(folder, "server.key")];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const files = ["-keyout", key, "-out", certificate];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...names, ...files], {
    stdio: "pipe",
  });
  return { folder, certificate, key };
}
