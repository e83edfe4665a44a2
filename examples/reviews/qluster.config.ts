import { join } from "node:path";
import { defineConfig } from "qluster";
import { dataFolder } from "./places.js";

export default defineConfig({
  name: "reviews",
  database: `sqlite:${join(dataFolder, "qluster.db")}`,
  tasks: ["tasks.ts"],
});
