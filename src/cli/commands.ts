import type { ArgDef } from "citty";
import type { CommandTable } from "./command.js";

const config: ArgDef = {
  type: "string",
  valueHint: "file",
  description: "The configuration. Default: qluster.config.* here or in a folder above",
};
const database: ArgDef = { type: "string", valueHint: "address", description: "Instead of the configuration's" };
const json: ArgDef = { type: "boolean", description: "Print one JSON document" };
const project = { config, database };
const schedule: ArgDef = { type: "positional", required: true, description: "Its name or id" };
const rule = {
  type: { type: "string", valueHint: "DAILY|WEEKLY|…", description: "ONCE, MINUTES, HOURLY, DAILY … or CRON" },
  cron: { type: "string", valueHint: "expression", description: 'Five fields, or six with seconds last: "0 3 * * *"' },
  every: { type: "string", valueHint: "duration", description: "By elapsed time: 45s, 6h" },
  minutes: { type: "string", valueHint: "number", description: "Of MINUTES" },
  at: { type: "string", valueHint: "time", description: "The time of the day: 03:00" },
  tz: { type: "string", valueHint: "zone", description: "An IANA zone: Europe/Moscow" },
  "next-run": { type: "string", valueHint: "time", description: "The first slot: 2026-01-31T03:00Z" },
  until: { type: "string", valueHint: "time", description: "No slot is later" },
} as const satisfies Record<string, ArgDef>;
const scheduleOptions = {
  ...rule,
  name: { type: "string", valueHint: "name", description: "Unique in the project" },
  repeats: { type: "string", valueHint: "number", description: "Runs that are left; -1 for no limit: --repeats=-1" },
  jitter: { type: "string", valueHint: "duration", description: "Start up to so much later than the slot" },
  "catch-up": { type: "string", valueHint: "latest|all|none", description: "What becomes of missed slots" },
  overlap: { type: "string", valueHint: "allow|skip|queue", description: "While the task before has not finished" },
  cluster: { type: "string", valueHint: "name", description: "Only clusters of this name fire it" },
  queue: { type: "string", valueHint: "name", description: "The queue its tasks wait in" },
  group: { type: "string", valueHint: "label", description: "The group of its tasks" },
  hook: { type: "string", valueHint: "task", description: "The task to call with each finished one" },
  timeout: { type: "string", valueHint: "duration", description: "The longest one attempt may take" },
  attempts: { type: "string", valueHint: "number", description: "How often a task is tried; 0 for ever" },
  priority: { type: "string", valueHint: "number", description: "From -100 to 100, higher first" },
} as const satisfies Record<string, ArgDef>;

/** Every command with its flags. Code is loaded when a command runs, so that `--help` costs no more than a bare Node. */
export const commands: CommandTable = {
  cluster: {
    summary: "Run tasks: start a cluster of workers",
    aliases: ["start", "work"],
    args: {
      name: { type: "string", alias: "n", valueHint: "name", description: "The cluster, and the queue it serves" },
      "run-once": { type: "boolean", description: "Finish what can be taken at once, then stop" },
      drain: { type: "boolean", description: "Stop when the queues are empty and nothing waits for a retry soon" },
      workers: {
        type: "string",
        valueHint: "number",
        description: "Worker processes. Default: one for each processor",
      },
      queues: { type: "string", valueHint: "a,b", description: "Queues to serve, with weights if you like: a:3,b:1" },
      concurrency: { type: "string", valueHint: "number", description: "Tasks at once in one worker. Default: 1" },
      isolation: {
        type: "string",
        valueHint: "process|thread|none",
        description: "What a worker is. Default: process",
      },
      ...project,
      schedule: { type: "boolean", description: "Fire schedules. --no-schedule: leave them to other clusters" },
      "log-level": { type: "string", valueHint: "debug|info|warn|error|silent", description: "Default: info" },
      "json-logs": { type: "boolean", description: "JSON lines, as when standard error is no terminal" },
    },
    examples: ["qluster cluster --workers 4", "qluster cluster --queues default:3,media:1", "qluster cluster --drain"],
    load: async () => (await import("./commands/cluster.js")).runCluster,
  },
  info: {
    summary: "Show clusters, queue, rates, and what a power cut would lose",
    args: {
      name: { type: "string", alias: "n", valueHint: "name", description: "Only clusters of this name" },
      ids: { type: "boolean", description: "Only the ids of the clusters, one a line" },
      config: { type: "boolean", description: "Only the version and all settings, secrets masked" },
      check: { type: "boolean", description: "Exit with 4 when no cluster is healthy" },
      json,
      "config-file": config,
      database,
    },
    examples: ["qluster info", "qluster info --check --name reports", "qluster info --json"],
    load: async () => (await import("./commands/info.js")).runInfo,
  },
  doctor: {
    summary: "Look at everything a cluster needs, and say what is wrong",
    args: { json, ...project },
    examples: ["qluster doctor", "qluster doctor --json"],
    load: async () => (await import("./commands/doctor.js")).runDoctor,
  },
  enqueue: {
    summary: "Queue one task and print its id",
    args: {
      task: { type: "positional", required: true, description: "The task's name" },
      args: { type: "positional", required: false, description: "JSON: an array of arguments, or the one argument" },
      queue: { type: "string", valueHint: "name", description: "The queue it waits in" },
      group: { type: "string", valueHint: "label", description: "A label to collect results under" },
      delay: { type: "string", valueHint: "duration", description: "Start no sooner than so long from now: 30s, 5m" },
      priority: { type: "string", valueHint: "number", description: "From -100 to 100, higher first" },
      hook: { type: "string", valueHint: "task", description: "The task to call with the finished one" },
      sync: { type: "boolean", description: "Run it in this process, now" },
      wait: {
        type: "string",
        valueHint: "[duration]",
        description: "Wait for the result and print it: 10s. Alone: as long as it takes",
      },
      json,
      ...project,
    },
    examples: ["qluster enqueue core.tasks.moderateReview 42", `qluster enqueue images.resize '["a1", 300]' --wait`],
    load: async () => (await import("./commands/enqueue.js")).runEnqueue,
  },
  schedule: {
    summary: "List schedules, make and change them",
    args: { json, ...project },
    load: async () => (await import("./commands/schedule-list.js")).runScheduleList,
    subCommands: {
      list: {
        summary: "Show schedules: rule, next slot, last outcome",
        args: { json, ...project },
        load: async () => (await import("./commands/schedule-list.js")).runScheduleList,
      },
      add: {
        summary: "Make a schedule",
        args: {
          task: { type: "positional", required: true, description: "The task's name" },
          args: {
            type: "positional",
            required: false,
            description: "JSON: an array of arguments, or the one argument",
          },
          ...scheduleOptions,
          upsert: { type: "boolean", description: "Change the schedule that has the name already" },
          json,
          ...project,
        },
        examples: [
          "qluster schedule add core.tasks.report --type DAILY --at 03:00 --tz Europe/Moscow --name report",
          `qluster schedule add core.tasks.cleanup 7 --cron "0 22 * * 1-5" --name cleanup`,
        ],
        load: async () => (await import("./commands/schedule-add.js")).runScheduleAdd,
      },
      edit: {
        summary: "Change parts of a schedule",
        args: {
          schedule,
          args: {
            type: "positional",
            required: false,
            description: "JSON: an array of arguments, or the one argument",
          },
          ...scheduleOptions,
          clear: {
            type: "string",
            valueHint: "flags",
            description: "Take these away, as if they had never been given: until,jitter",
          },
          json,
          ...project,
        },
        examples: [
          `qluster schedule edit cleanup --cron "0 23 * * 1-5"`,
          "qluster schedule edit cleanup --clear until",
        ],
        load: async () => (await import("./commands/schedule-add.js")).runScheduleEdit,
      },
      run: {
        summary: "Make one task at once, out of turn, and print its id",
        args: { schedule, json, ...project },
        load: async () => (await import("./commands/schedule-change.js")).runScheduleNow,
      },
      pause: {
        summary: "Make no tasks until it is resumed",
        args: { schedule, json, ...project },
        load: async () => (await import("./commands/schedule-change.js")).runSchedulePause,
      },
      resume: {
        summary: "Go on with the next slot",
        args: { schedule, json, ...project },
        load: async () => (await import("./commands/schedule-change.js")).runScheduleResume,
      },
      rm: {
        summary: "Remove a schedule; its tasks stay",
        args: { schedule, json, ...project },
        load: async () => (await import("./commands/schedule-change.js")).runScheduleRemove,
      },
      preview: {
        summary: "Say in words when a rule is due, and list its next slots",
        args: {
          rule: { type: "positional", required: false, description: "A cron expression, or a schedule's name or id" },
          ...rule,
          count: { type: "string", valueHint: "number", description: "How many slots. Default: 5" },
          json,
          ...project,
        },
        examples: [`qluster schedule preview "0 3 * * *" --tz Europe/Moscow`, "qluster schedule preview cleanup"],
        load: async () => (await import("./commands/schedule-preview.js")).runSchedulePreview,
      },
    },
  },
  migrate: {
    summary: "Create the tables, or bring them up to date",
    args: { ...project, json },
    load: async () => (await import("./commands/migrate.js")).runMigrate,
    subCommands: {
      status: {
        summary: "Show the version of the tables",
        args: { ...project, json },
        load: async () => (await import("./commands/migrate.js")).runMigrateStatus,
      },
      sql: {
        summary: "Print the SQL that migrate would run",
        args: { all: { type: "boolean", description: "Of all versions, not only of those still missing" }, ...project },
        load: async () => (await import("./commands/migrate.js")).runMigrateSql,
      },
    },
  },
  types: {
    summary: "Write a file by which tasks are known by name, with their arguments and results",
    args: {
      out: { type: "string", valueHint: "file", description: "Default: qluster-tasks.d.ts in the project's root" },
      ...project,
    },
    examples: ["qluster types", "qluster types --out types/tasks.d.ts"],
    load: async () => (await import("./commands/types.js")).runTypes,
  },
  config: {
    summary: "Show the configuration",
    args: {},
    load: async () => (await import("./commands/config-print.js")).needsVerb,
    subCommands: {
      print: {
        summary: "Print every setting and where its value came from, secrets masked",
        args: { ...project, json },
        load: async () => (await import("./commands/config-print.js")).runConfigPrint,
      },
    },
  },
  demo: {
    summary: "Watch a cluster work: no project, no database, cleans up after itself",
    args: {
      tasks: { type: "string", valueHint: "number", description: "How many tasks. Default: 300" },
      json,
    },
    load: async () => (await import("./commands/demo.js")).runDemo,
  },
};
