export { brokerSuite } from "./broker-suite.js";
export { manualClock, realClock, type TestClock } from "./manual-clock.js";
export type { BrokerSuite, Suite, TestFunction, Where } from "./suite.js";
