import { createQluster } from "qluster";
import config from "./qluster.config.js";

/** The queue, for the processes that only ask for work. */
export const queue = createQluster(config);
