import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { fromJson, Naivebayes } from "classificator";
import { words } from "./words.js";

/** A message that a person has judged. */
export interface LabelledMessage {
  readonly text: string;
  readonly spam: boolean;
}

/** What is known of the messages that customers write. */
export interface Model {
  /** How likely a text is spam, from 0 to 1. */
  readonly spamProbability: (text: string) => number;
}

export interface Training {
  readonly messages: number;
  readonly words: number;
}

/** So many words decide, those that speak most clearly for one side (Graham, "A Plan for Spam", 2002). */
const telling = 15;
const options = { tokenizer: words, alpha: 0.5 };

/** Learns from `messages` and writes the model to `file`, in one step: a reader sees the old one or the new one. */
export function trainModel(messages: Iterable<LabelledMessage>, file: string): Training {
  const classifier = new Naivebayes(options);
  for (const { text, spam } of messages) classifier.learn(text, spam ? "spam" : "ham");
  if (classifier.getCategories().length < 2)
    throw new Error("Training needs messages of both kinds, spam and not spam. Add some of the kind that is missing.");

  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, classifier.toJson());
  renameSync(fresh, file);
  return { messages: classifier.totalDocuments, words: classifier.vocabularySize };
}

let loaded: { readonly file: string; readonly changed: number; readonly model: Model } | undefined;

/** The model in `file`; read again only after it was trained anew. */
export function loadModel(file: string): Model {
  const changed = changedAt(file);
  if (loaded?.file !== file || loaded.changed !== changed) loaded = { file, changed, model: readModel(file) };
  return loaded.model;
}

function changedAt(file: string): number {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found !== undefined) return found.mtimeMs;
  throw new Error(`There is no model at ${file}. Train one first: enqueue the task "tasks.trainModel".`);
}

function readModel(file: string): Model {
  const classifier = fromJson(readFileSync(file, "utf8"), options);
  return { spamProbability: (text) => spamProbability(classifier, text) };
}

function spamProbability(classifier: Naivebayes, text: string): number {
  const ratio = (word: string): number =>
    Math.log(classifier.tokenProbability(word, "spam") / classifier.tokenProbability(word, "ham"));
  const known = words(text).filter((word) => (classifier.vocabulary[word] ?? 0) > 1);
  const weighed = known.map((word) => ({ word, weight: Math.abs(ratio(word)) }));
  const clearest = weighed.sort((a, b) => b.weight - a.weight).slice(0, telling);

  const { likelihoods } = classifier.categorize(clearest.map(({ word }) => word).join(" "));
  return likelihoods.find(({ category }) => category === "spam")?.proba ?? 0;
}
