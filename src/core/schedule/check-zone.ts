import { ScheduleError } from "../../errors.js";
import { nearest } from "../names.js";
import { quote } from "../quote.js";

/** The zone's name as the runtime writes it. @throws {ScheduleError} */
export function checkZone(name: unknown): string {
  try {
    if (typeof name === "string" && /^[A-Za-z]/.test(name)) {
      return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone === "UTC"
        ? "UTC"
        : proper(name);
    }
  } catch {
    // Told below.
  }
  throw new ScheduleError("timeZone", `There is no time zone ${quote(name)}. ${zoneAdvice(name)}`);
}

/** Runtimes answer with an older name of some zones: what was given is kept, in the letter case that is usual. */
function proper(name: string): string {
  const usual = Intl.supportedValuesOf("timeZone").find((known) => known.toLowerCase() === name.toLowerCase());
  return usual ?? name;
}

function zoneAdvice(name: unknown): string {
  const known = Intl.supportedValuesOf("timeZone");
  // The last part is enough: `moscow` means Europe/Moscow.
  const dotted =
    typeof name === "string"
      ? nearest(
          name.replaceAll("/", "."),
          known.map((one) => one.replaceAll("/", ".")),
        )
      : undefined;
  return dotted === undefined
    ? 'Give an IANA name, such as "Europe/Moscow" or "UTC".'
    : `Did you mean "${dotted.replaceAll(".", "/")}"?`;
}
