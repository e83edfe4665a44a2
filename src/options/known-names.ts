import { nearest } from "../core/names.js";
import { optionNames } from "./option-table.js";

/** Options of Django Q2 that have another name, or none, in Qluster; with what to do instead. */
const elsewhere: Readonly<Record<string, string>> = {
  retry: 'In Qluster this is lease (a duration, "60s"); the wait before another attempt is backoff.',
  maxAttempts: "In Qluster this is attempts.",
  ackFailures: "In Qluster this is attempts: 1.",
  ackFailure: "In Qluster this is attempts: 1.",
  saveLimit: "In Qluster this is retention.maxSuccesses, or save: false to keep none.",
  saveLimitPer: "In Qluster this is retention.per.",
  cluster: "In Qluster this is clusterName.",
  queue: "In Qluster this is queues.",
  orm: 'In Qluster this is database, such as "sqlite:data/qluster.db".',
  errorReporter: "In Qluster this is errorReporters.",
  bulk: "Qluster needs no such option: messages are taken in batches that fit the load. Leave it out.",
  poll: "Qluster needs no such option: clusters are woken. Leave it out.",
  guardCycle: "Qluster needs no such option: deadlines are exact. Leave it out.",
  testing: "Qluster needs no such option: see sync, and qluster/testing.",
  brokerClass: "In Qluster this is broker: { backend: … }, a function that opens it.",
  iterCount: "It is no option of a configuration.",
};

const notYet = new Set(["djangoRedis", "ironMq", "label", "mongo", "mongoDb", "redis", "sqs"]);

/** What to say of an option that Qluster does not have. */
export function unknownOptionText(path: string, key: string): string {
  const camel = key.toLowerCase().replace(/[_-]+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return `${path}: there is no such option. ${adviceFor(key) ?? adviceFor(camel) ?? nearestAdvice(key)}`;
}

function adviceFor(key: string): string | undefined {
  if (notYet.has(key)) return "It is not in this version of Qluster; leave it out.";
  if (Object.hasOwn(elsewhere, key)) return elsewhere[key];
  return (optionNames as readonly string[]).includes(key) ? `In Qluster it is written ${key}.` : undefined;
}

function nearestAdvice(key: string): string {
  const near = nearest(key, optionNames);
  return near === undefined ? "`qluster config print` lists all options." : `Did you mean ${near}?`;
}
