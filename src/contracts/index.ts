export type * from "./backend.js";
export type * from "./broker.js";
export type * from "./cache.js";
export type * from "./clock.js";
export type * from "./flows.js";
export type * from "./frames.js";
export type * from "./logger.js";
export type * from "./store.js";
