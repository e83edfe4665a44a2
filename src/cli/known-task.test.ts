import { describe, expect, it } from "vitest";
import type { ClusterStatus } from "../contracts/store.js";
import { defineTask } from "../core/registry.js";
import { TaskLoadError } from "../errors.js";
import { checkTasksKnown } from "./known-task.js";
import { UsageError } from "./usage-error.js";

const cluster = (tasks: string[]): ClusterStatus => ({ tasks }) as unknown as ClusterStatus;

function queue(advertised: string[] = [], loadTasks = async (): Promise<string[]> => []) {
  return { clusters: async () => (advertised.length === 0 ? [] : [cluster(advertised)]), loadTasks };
}

const brokenModules = async (): Promise<string[]> => {
  throw new TaskLoadError("The task module a.ts could not be loaded: no DATABASE_URL");
};

const define = async (): Promise<string[]> => {
  defineTask({ name: "loaded.here", run: () => 1, options: {}, input: undefined, source: undefined });
  return ["loaded.here"];
};

describe("before a task is queued", () => {
  it("a name that a running cluster advertises is enough, also when its module cannot be loaded here", async () => {
    const { clusters, fault } = await checkTasksKnown(["images.resize"], queue(["images.resize"], brokenModules));

    expect(clusters).toBe(1);
    expect(fault).toBeInstanceOf(TaskLoadError);
  });

  it("so is a name that the modules of `tasks` define, while no cluster runs", async () => {
    expect(await checkTasksKnown(["loaded.here"], queue([], define))).toEqual({ clusters: 0, fault: undefined });
  });

  it("functions of Math are always known", async () => {
    await expect(checkTasksKnown(["Math.floor"], queue())).resolves.toMatchObject({ clusters: 0 });
  });

  it.each([
    ["images.resise", ["images.resize"], 'No task is named "images.resise". Did you mean "images.resize"?'],
    ["zzz", ["images.resize", "mail.send"], "There are: images.resize"],
  ])("an unknown one is refused, with the nearest name: %s", async (name, advertised, message) => {
    const refused = checkTasksKnown([name], queue(advertised));

    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(message);
  });

  it("an unknown hook is refused as well", async () => {
    await expect(checkTasksKnown(["a", "onDnoe"], queue(["a", "onDone"]))).rejects.toThrow('Did you mean "onDone"?');
  });

  it("modules that cannot be loaded are the reason that is told for a name nobody knows", async () => {
    await expect(checkTasksKnown(["b"], queue(["a"], brokenModules))).rejects.toThrow("no DATABASE_URL");
  });
});
