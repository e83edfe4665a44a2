import type { Consumer } from "./consumer.js";

/** A small application: a config, a task in TypeScript, and code that enqueues it and waits for a cluster. */
export function writeProject(consumer: Consumer): void {
  consumer.write(
    "qluster.config.ts",
    `import { defineConfig } from "qluster";
export default defineConfig({ name: "shop", database: "sqlite:data/qluster.db", tasks: ["core/**/*.ts"] });
`,
  );
  consumer.write(
    "core/tasks.ts",
    `import type { FinishedTask } from "qluster";
import { appendFileSync } from "node:fs";

export async function addUp(numbers: number[]): Promise<{ sum: number }> {
  return { sum: numbers.reduce((sum, one) => sum + one, 0) };
}

export async function tell(finished: FinishedTask<{ sum: number }>): Promise<void> {
  appendFileSync("told.txt", finished.success ? \`sum \${finished.result.sum}\\n\` : "failed\\n");
}
`,
  );
  consumer.write(
    "main.mjs",
    `import { createQluster, ref } from "qluster";

const queue = createQluster({ name: "shop", database: "sqlite:data/qluster.db" });
const id = await queue.asyncTask(ref("core.tasks.addUp", { hook: "core.tasks.tell" }), [1, 2, 3]);
console.log(id);
await queue.close();
`,
  );
  consumer.write(
    "read.mjs",
    `import { createQluster } from "qluster";

const queue = createQluster({ name: "shop", database: "sqlite:data/qluster.db" });
console.log(JSON.stringify(await queue.result(process.argv[2])));
await queue.close();
`,
  );
}

/** Enqueues a task, runs a cluster until the queue is empty, and reads the result: what a user does first. */
export async function smoke(consumer: Consumer, env: NodeJS.ProcessEnv): Promise<string> {
  const id = (await consumer.succeed("node", ["main.mjs"], env)).trim();
  await consumer.succeed("npx", ["qluster", "cluster", "--drain", "--workers", "1"], env);
  return (await consumer.succeed("node", ["read.mjs", id], env)).trim();
}
