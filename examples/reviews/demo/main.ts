import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Qluster } from "qluster";
import { takeAccount, type Account } from "./account.js";
import { readCorpus } from "./corpus.js";
import { type Killed, killOneWorker } from "./kill-worker.js";
import type { DemoMessage } from "./message.js";
import { readMessagesFile } from "./messages-file.js";
import { type Night, runNight } from "./nightly.js";
import { startCluster, startShop } from "./processes.js";
import { Progress } from "./progress.js";
import { type Posted, ShopClient } from "./shop-client.js";

const usage = `Usage: npm run demo [-- messages.jsonl] [--limit <number>] [--workers <number>] [--keep]

  messages.jsonl  Your own messages, one JSON object a line: {"id": "1", "text": "..."}.
                  Without it: the half of a public corpus that the classifier has not seen.
  --limit         Only so many messages; then fewer are trained on, too.
  --workers       Worker processes. Default: 2.
  --keep          Leave the databases and logs where they are.`;

/** A classifier that has learned from fewer mails than half of these guesses. */
const leastCorpus = 1_000;

/** With no progress for so long, what is missing counts as lost. In milliseconds. */
const patienceMs = 60_000;

interface Options {
  readonly file: string | undefined;
  readonly limit: number;
  readonly workers: number;
  readonly keep: boolean;
}

/** Runs the demo. Resolves to the exit code: 0 when nothing was lost. */
export async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) return 2;
  const folder = mkdtempSync(join(tmpdir(), "qluster-reviews-"));
  process.env["REVIEWS_DATA"] = folder;
  try {
    return await runDemo(options, folder);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  } finally {
    if (options.keep) console.log(`\nDatabases and logs: ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

function readOptions(args: readonly string[]): Options | undefined {
  try {
    const text = { type: "string" } as const;
    const flag = { type: "boolean" } as const;
    const known = { limit: text, workers: text, keep: flag, help: flag };
    const { values, positionals } = parseArgs({ args: [...args], options: known, allowPositionals: true });
    if (values.help !== true && positionals.length <= 1) {
      const [file] = positionals;
      const limit = positive("limit", values.limit, Infinity);
      return { file, limit, workers: positive("workers", values.workers, 2), keep: values.keep === true };
    }
  } catch (error) {
    console.error((error as Error).message);
  }
  console.error(usage);
  return undefined;
}

function positive(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`--${name} is "${text}", but must be a whole number of at least 1.`);
}

async function runDemo({ file, limit, workers }: Options, folder: string): Promise<number> {
  const given = file === undefined ? undefined : await givenMessages(file);
  const reading = new Progress("Reading the corpus");
  const enough = Math.max(limit * 3, leastCorpus);
  const { training, heldOut } = await readCorpus(enough, (done, total) => reading.show(done, total));
  const messages = (given ?? heldOut).slice(0, limit);

  await using cluster = await startCluster(workers, join(folder, "cluster.log"));
  await using shop = await startShop(join(folder, "shop.log"));
  using client = new ShopClient(shop.greeting);
  // Not before REVIEWS_DATA is set: the configuration reads it.
  const { queue } = await import("../queue.js");
  await using _ = queue;

  await train(queue, training, join(folder, "training.jsonl"));
  const { posted, killed, seconds } = await moderateAll(queue, client, messages);
  const shown = await client.reviews(posted.map(({ id }) => id));
  const account = await takeAccount(queue, messages, posted, shown, killed);
  const night = await runNight(
    queue,
    posted.map(({ id }) => id),
  );
  const report = readFileSync(night.sentTo, "utf8").trim();
  const clusterExit = await cluster.stop();

  printAccount(account, posted.length, seconds, killed);
  printNight(night, report, posted.length);
  if (clusterExit !== 0) console.log(`The cluster ended with exit code ${clusterExit}.`);
  const isComplete = account.faults.length === 0 && night.checked === posted.length;
  return isComplete && clusterExit === 0 ? 0 : 1;
}

function printNight({ checked }: Night, report: string, posted: number): void {
  console.log(`The nightly batch checked ${checked} of ${posted} reviews. Its report: ${report}`);
}

async function givenMessages(file: string): Promise<readonly DemoMessage[]> {
  const { messages, skipped } = await readMessagesFile(file);
  for (const line of skipped) console.error(`Skipped ${file} ${line}`);
  if (messages.length === 0) throw new Error(`${file} has no message. Write one a line: {"id": "1", "text": "..."}`);
  console.log(`${messages.length} messages in ${file}${skipped.length > 0 ? `, ${skipped.length} lines skipped` : ""}`);
  return messages;
}

/** The training is a task like any other. */
async function train(queue: Qluster, training: readonly DemoMessage[], file: string): Promise<void> {
  writeFileSync(file, training.map((message) => JSON.stringify(message)).join("\n"));
  const id = await queue.asyncTask<typeof import("../tasks.js").trainModel>("tasks.trainModel", file);
  const learned = await queue.result(id, { wait: "5m" });
  if (learned === undefined) throw new Error("The training took longer than 5 minutes.");
  console.log(`Trained on ${learned.messages} messages, ${learned.words} different words`);
}

interface Moderated {
  readonly posted: readonly Posted[];
  readonly killed: Killed | undefined;
  readonly seconds: number;
}

async function moderateAll(queue: Qluster, client: ShopClient, messages: readonly DemoMessage[]): Promise<Moderated> {
  const started = performance.now();
  const posted: Posted[] = [];
  let killed: Promise<Killed | undefined> | undefined;
  const kill = (): void => void (killed ??= killOneWorker(queue, () => posted.map(({ task }) => task)));

  await Promise.all([
    client.postAll(messages, (one) => void posted.push(one)),
    watch(client, messages.length, () => posted.length, kill),
  ]);
  const seconds = (performance.now() - started) / 1000;
  return { posted, killed: await killed, seconds };
}

/** Shows the progress until every client was told. Calls `underWay` when a quarter of the messages are judged. */
async function watch(client: ShopClient, total: number, posted: () => number, underWay: () => void): Promise<void> {
  const progress = new Progress("Moderating        ");
  let best = -1;
  let since = performance.now();
  for (;;) {
    const { approved, rejected, failed, notified } = await client.counts();
    const judged = approved + rejected + failed;
    progress.show(judged + notified, total * 2, `tasks: ${posted()} posted, ${judged} judged, ${notified} told`);
    if (judged >= total / 4) underWay();
    if (notified >= total && judged >= total) return;
    if (judged + notified > best) [best, since] = [judged + notified, performance.now()];
    else if (performance.now() - since > patienceMs) return;
    await sleep(50);
  }
}

function printAccount(account: Account, posted: number, seconds: number, killed: Killed | undefined): void {
  const { approved, rejected, failed, retried, labels, faults } = account;
  const percent = ((labels.right / labels.known) * 100).toFixed(1);
  console.log();
  console.log(`approved       ${approved}`);
  console.log(`rejected       ${rejected}`);
  console.log(`failed         ${failed}`);
  console.log(`retried        ${retried}`);
  if (labels.known > 0) console.log(`labels right   ${percent} % of ${labels.known}`);
  console.log(
    `tasks          ${((posted * 2) / seconds).toFixed(0)} per second (each review is a moderation and a notice)`,
  );
  if (killed === undefined) console.log("killed         no worker: the work was done before one could be hit");
  else console.log(`killed         worker ${killed.pid} by SIGKILL; the attempt is on record, and the task went on`);
  console.log();
  for (const fault of faults.slice(0, 20)) console.log(fault);
  if (faults.length > 0) console.log(`${faults.length} faults: not everything is as it must be.`);
  else console.log(`Nothing was lost: each of ${posted} reviews has one verdict, one finished task, one notice.`);
}
