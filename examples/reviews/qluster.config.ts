import { defineConfig } from "qluster";
import { shopFile } from "./places.js";

export default defineConfig({
  name: "reviews",
  // The shop's own file, so that a review and its task commit together.
  database: `sqlite:${shopFile}`,
  tasks: ["tasks.ts"],
});
