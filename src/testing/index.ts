export { memoryBackend } from "../backends/memory/index.js";
export { brokerSuite } from "./broker-suite.js";
export { cacheSuite } from "./cache-suite.js";
export { flowSuite } from "./flow-suite.js";
export { manualClock, realClock, type TestClock } from "./manual-clock.js";
export { schemaSuite, type SchemaSuite } from "./schema-suite.js";
export { storeSuite } from "./store-suite.js";
export type { BrokerSuite, Suite, TestFunction, Where } from "./suite.js";
