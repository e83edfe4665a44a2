// What the root entry offers of the core.
export { registerCodec } from "../core/codec.js";
export { currentTask } from "../core/current-task.js";
export { humanize, humanName } from "../core/ids.js";
