import { qlusterOf } from "../../client/create-qluster.js";
import type { PreviewedRun } from "../../client/schedule-types.js";
import { checkRule } from "../../core/schedule/check-rule.js";
import { describeRule } from "../../core/schedule/describe-rule.js";
import { previewSlots } from "../../core/schedule/preview.js";
import { zoneClock } from "../../core/schedule/zone-clock.js";
import type { CommandContext } from "../command.js";
import { type ExitCode, exitCodes } from "../exit-codes.js";
import type { Flags } from "../flags.js";
import { openProject } from "../project.js";
import { renderPreview, targetText } from "../render-schedules.js";
import { ruleOptions } from "../schedule-options.js";
import { toJson } from "../show-value.js";
import { UsageError } from "../usage-error.js";

interface Preview {
  readonly description: string;
  readonly timeZone: string;
  readonly slots: readonly PreviewedRun[];
  /** Of a stored one: what each slot becomes. */
  readonly target?: string;
}

/** A rule needs no project; a schedule that is stored is looked up by its name or id. */
export async function runSchedulePreview({ flags, terminal }: CommandContext): Promise<ExitCode> {
  const count = flags.count("count", 1) ?? 5;
  const preview = isName(flags.text("rule")) ? await previewStored(flags, count) : await previewRule(flags, count);
  if (flags.on("json")) terminal.print(toJson({ format: 1, ...preview }));
  else {
    terminal.print(preview.target === undefined ? preview.description : `${preview.target}. ${preview.description}`);
    for (const line of renderPreview(preview.slots, preview.timeZone, terminal.style)) terminal.print(line);
  }
  return exitCodes.ok;
}

/** A cron expression has blanks, or is a word such as `@daily`. */
function isName(text: string | undefined): text is string {
  return text !== undefined && !/\s|^@/.test(text.trim());
}

async function previewStored(flags: Flags, count: number): Promise<Preview> {
  const name = flags.required("rule");
  const { config } = await openProject(flags);
  await using q = qlusterOf(config);
  const slots = await q.schedules.preview(name, { count });
  const schedule = await q.schedules.get(name);
  const { description = "", timeZone = "UTC" } = schedule ?? {};
  return { description, timeZone, slots, ...(schedule === undefined ? {} : { target: targetText(schedule) }) };
}

async function previewRule(flags: Flags, count: number): Promise<Preview> {
  const cron = flags.text("rule");
  const { timeZone = "UTC", ...input } = ruleOptions(flags);
  if (cron === undefined && Object.keys(input).length === 0) {
    throw new UsageError(
      'There is no rule to preview. Write: npx qluster schedule preview "0 3 * * *" --tz Europe/Moscow',
    );
  }
  const zone = await zoneClock(timeZone);
  const given = cron === undefined ? input : { ...input, type: "CRON", cron };
  const { rule, firstSlot } = checkRule(given, { now: Date.now(), zone, catchUp: "latest", zeroMinutes: false });
  const slots = previewSlots(rule, firstSlot - 1, count, zone);
  return {
    description: describeRule(rule, zone),
    timeZone: zone.name,
    slots: slots.map(({ slot, note }) => ({ slot: new Date(slot), note })),
  };
}
