import { QlusterError } from "../errors.js";

/** The configuration file is missing, cannot be loaded, or exports something else. */
export class ConfigFileError extends QlusterError {
  readonly code = "QLUSTER_CONFIG_FILE";
}
