import { QlusterError } from "../errors.js";

/** The command line cannot be used as it is. Ends a command with exit code 2. */
export class UsageError extends QlusterError {
  readonly code = "QLUSTER_USAGE";
}
