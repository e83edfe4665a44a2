import { ConfigError, StoreUnavailableError } from "../../errors.js";

/** How replies begin that say: not now. Nothing was written. */
const refusals =
  /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|UNKILLABLE|MISCONF|OOM|NOREPLICAS)\b|max number of clients|Too many Cluster redirections|Script attempted to access a non local key/;

/** The connection ended, or never was: what was sent may have arrived. */
const cuts =
  /ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|EAI_AGAIN|ENOTFOUND|Connection is closed|connection close|Connection ended|Socket closed|Stream isn't writeable|Cluster is ended|None of startup nodes|Failed to refresh slots|MaxRetriesPerRequest|max retries per request|Command timed out|Cluster isn't ready/i;

/** Faults that no waiting mends, and what to do. */
const faults: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [
    /WRONGPASS|invalid (username-)?password/i,
    "the user or the password is wrong. Check both in the URL; special characters are written as %40 (@), %2F (/), %3A (:)",
  ],
  [/NOAUTH/, 'the server wants a password. Write it into the URL: "redis://user:password@host:6379/0"'],
  [
    /NOPERM/,
    "this user lacks a right. Give it what Qluster needs: ACL SETUSER <user> ~{qluster:*}* +@all -@admin -@dangerous +info",
  ],
  [
    /DB index is out of range|invalid DB index/i,
    "the server has no database with this number. Use a lower one (it has 16 by default: 0 to 15)",
  ],
  [/SELECT is not allowed in cluster mode/i, 'a Redis Cluster has database 0 only. Use "redis-cluster://host:port"'],
  [/^MOVED |^CROSSSLOT/, 'the server is a node of a Redis Cluster. Begin the URL with "redis-cluster://"'],
  [/cluster support disabled/i, 'the server is no Redis Cluster. Begin the URL with "redis://"'],
  [
    /ERR_SSL|wrong version number|SSL routines|ERR_TLS/i,
    'the server does not speak TLS on this port. Begin the URL with "redis://", or name its TLS port',
  ],
  [
    /CERT|self.signed|unable to verify|ALTNAME/i,
    "the server's certificate is not trusted. Add its authority: NODE_EXTRA_CA_CERTS=/path/to/ca.pem",
  ],
  [/ENOTFOUND/, "there is no host with this name. Look for a typo in the URL"],
  [/unknown command/i, "the server lacks a command that Qluster needs. Use Redis 6.2 or newer"],
];

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, lastNodeError } = error as { readonly code?: unknown; readonly lastNodeError?: unknown };
  // A cluster client says only that no node answered; why is inside.
  if (lastNodeError instanceof Error) return messageOf(lastNodeError);
  const own = error.message === "" && "errors" in error ? String((error.errors as unknown[])[0]) : error.message;
  return typeof code === "string" && !own.includes(code) ? `${code} ${own}` : own;
}

/** Worth trying again: the server is away, starting, or does not take writes just now. */
export function isOutage(error: unknown): boolean {
  const message = messageOf(error);
  return refusals.test(message) || cuts.test(message);
}

/** The write may have arrived, though nothing came back. */
export function maybeArrived(error: unknown): boolean {
  if (error instanceof StoreUnavailableError) return error.maybeWritten;
  return !refusals.test(messageOf(error));
}

/** A fault of the configuration as an error with its next step; `undefined` when it is none. */
export function configFault(error: unknown, shown: string): ConfigError | undefined {
  const message = messageOf(error);
  const advice = faults.find(([pattern]) => pattern.test(message))?.[1];
  if (advice === undefined) return undefined;
  return new ConfigError([`database: ${shown} cannot be used: ${advice}. The server said: ${oneLine(message)}`]);
}

/** An outage as the contracts name it. */
export function unavailable(
  error: unknown,
  shown: string,
  { maybeWritten, isTls }: { readonly maybeWritten: boolean; readonly isTls: boolean },
): StoreUnavailableError {
  const advice = whatToDo(messageOf(error), isTls);
  return new StoreUnavailableError(`Redis at ${shown} cannot be used at the moment: ${advice}`, {
    cause: error,
    maybeWritten,
  });
}

function whatToDo(message: string, isTls: boolean): string {
  const said = oneLine(message);
  if (message.startsWith("OOM")) {
    return `its memory is full (maxmemory). Raise maxmemory, or keep fewer results (option \`retention\`). It said: ${said}`;
  }
  if (message.startsWith("MISCONF")) return `it cannot write to its disk. Free some space there. It said: ${said}`;
  if (/ECONNREFUSED/.test(message)) return `nobody listens there. Start the server, or check host and port. (${said})`;
  // A server without TLS says nothing to the greeting of one who speaks it.
  const tls = isTls ? ' If this port does not speak TLS, begin the URL with "redis://".' : "";
  return `${said.replace(/\.$/, "")}. It is tried again.${tls}`;
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 200 ? `${line.slice(0, 197)}...` : line;
}
