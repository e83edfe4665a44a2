import { defineConfig } from "qluster";

/** The database comes from the environment (`QLUSTER_DATABASE`): each run has a file of its own. */
export default defineConfig({ name: "bench", database: "sqlite:bench.db", tasks: ["tasks.mjs"] });
