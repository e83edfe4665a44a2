import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Consumer, install, openConsumer } from "./consumer.js";

const compilers = ["ts59", "ts6", "ts7"];
const resolutions = [
  { module: "nodenext", moduleResolution: "nodenext" },
  { module: "esnext", moduleResolution: "bundler" },
];

/** What a user writes, with lines that must not compile. */
const application = `
import { createQluster, currentTask, defineConfig, link, ref, signals, task, TaskFailedError } from "qluster";
import type { FinishedTask, QlusterConfig, Task, TaskId } from "qluster";
import type { Broker } from "qluster/contracts";
import { startCluster } from "qluster/cluster";

const config: QlusterConfig = defineConfig({ name: "shop", database: "sqlite:data/qluster.db", tasks: ["core/**/*.ts"] });
const queue = createQluster(config);
export const { asyncTask, asyncTasks, result, fetch } = queue;

export async function moderateReview(reviewId: number): Promise<"ok"> {
  currentTask()?.progress(reviewId, 10);
  return "ok";
}
export const resize: Task<(id: string, width: number) => Promise<{ url: string }>> = task(
  "images.resize", async (id: string, width: number) => ({ url: id + width }), { timeout: "30s", attempts: 5 });
export async function onResized(finished: FinishedTask<{ url: string }>): Promise<void> {
  if (finished.success) finished.result.url.at(0);
}

const id: TaskId<{ url: string }> = await asyncTask(resize.with({ hook: onResized, delay: "5m" }), "a1", 300);
const url: string | undefined = (await result(id, { wait: "5s" }))?.url;
const ok: "ok" | undefined = await result(await asyncTask<typeof moderateReview>("core.tasks.moderateReview", 42));
const many: [TaskId<{ url: string }>, TaskId<"ok">] = await asyncTasks([link(resize, "a", 1), link(moderateReview, 2)]);
await asyncTask(ref(moderateReview, { group: "moderation" }), 42);
signals.postExecute.connect((finished) => finished.success);
export const parts: [typeof url, typeof ok, typeof many, typeof TaskFailedError, typeof startCluster, Broker?] =
  [url, ok, many, TaskFailedError, startCluster];

// @ts-expect-error a width is a number
await asyncTask(resize, "a1", "300");
// @ts-expect-error an unknown option
resize.with({ gruop: "g" });
// @ts-expect-error the variable may be unset
defineConfig({ name: "shop", database: process.env["DATABASE_URL"] });
`;

describe("types, in a user's project", () => {
  let consumer: Consumer;

  beforeAll(async () => {
    consumer = await openConsumer();
    await install(
      consumer,
      "ts59@npm:typescript@5.9",
      "ts6@npm:typescript@6",
      "ts7@npm:typescript@7",
      "@types/node@20",
    );
    consumer.write("app.ts", application);
  });

  afterAll(() => consumer.remove());

  const cases = compilers.flatMap((compiler) => resolutions.map((resolution) => ({ compiler, ...resolution })));

  it.each(cases)(
    "compile with $compiler and moduleResolution $moduleResolution",
    async ({ compiler, ...resolution }) => {
      const strict = {
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        skipLibCheck: false,
      };
      const compilerOptions = { ...strict, ...resolution, target: "es2023", types: ["node"], noEmit: true };
      consumer.write("tsconfig.json", JSON.stringify({ compilerOptions, files: ["app.ts"] }));

      const { code, output } = await consumer.run("node", [`node_modules/${compiler}/bin/tsc`, "-p", "."]);

      expect(output).toBe("");
      expect(code).toBe(0);
    },
  );
});
