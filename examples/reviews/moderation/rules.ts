import { franc } from "franc-min";

/** What the shop reads, as ISO 639-3. */
const languages = new Set(["eng", "deu", "fra", "spa", "ita", "nld", "por", "swe", "dan", "nob", "pol"]);

/** Shorter texts say too little to tell their language. In characters. */
const languageNeeds = 200;
const languageReads = 2_000;
const shortest = 3;
const longest = 100_000;
/** So many links, and fewer words to each than `wordsPerLink`: the links are the message. */
const manyLinks = 5;
const wordsPerLink = 4;

/** Why a text cannot be published whatever it says; empty when nothing speaks against it. */
export function brokenRules(text: string): string[] {
  return [lengthRule(text), linkRule(text), languageRule(text)].filter((reason) => reason !== undefined);
}

function lengthRule(text: string): string | undefined {
  const { length } = text.trim();
  if (length < shortest) return "too short";
  if (length > longest) return "too long";
  return undefined;
}

function linkRule(text: string): string | undefined {
  const links = text.match(/https?:\/\/\S+/g)?.length ?? 0;
  if (links < manyLinks) return undefined;
  const others = text.replaceAll(/https?:\/\/\S+/g, " ").match(/[\p{L}\p{N}]+/gu)?.length ?? 0;
  return others < links * wordsPerLink ? "little but links" : undefined;
}

function languageRule(text: string): string | undefined {
  const read = text.replaceAll(/\S*[/@<>]\S*/g, " ").slice(0, languageReads);
  if (read.trim().length < languageNeeds) return undefined;
  const language = franc(read);
  return languages.has(language) ? undefined : `not a language we read (${language})`;
}
