import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** Where the shop keeps what it writes. Every process of the example reads the same variable. */
const dataFolder: string = process.env["REVIEWS_DATA"] ?? join(import.meta.dirname, "data");

/** The shop's own tables, and the queue's. */
export const shopFile: string = join(dataFolder, "shop.db");

/** The trained classifier. */
export const modelFile: string = join(dataFolder, "model.json");

/** The report of the night. */
export const reportFile: string = join(dataFolder, "report.txt");

mkdirSync(dataFolder, { recursive: true });
