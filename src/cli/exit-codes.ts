/** What the shell gets. Scripts, service managers and container health checks may rely on these numbers. */
export const exitCodes = {
  ok: 0,
  /** What was asked for did not happen. */
  failed: 1,
  /** The command line or the configuration cannot be used: trying again will not help. */
  usage: 2,
  /** The database could not be reached, or was locked for too long: trying again may help. */
  unreachable: 3,
  /** `info --check`: no cluster is healthy. `doctor`: something is wrong. */
  unhealthy: 4,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
