/** What one look at a project has found. */
export interface Finding {
  /** What was looked at, in a word or two. */
  readonly about: string;
  /** `wrong`: tasks do not run, or will not survive what they should. `note`: worth knowing, and nothing is broken. */
  readonly state: "ok" | "note" | "wrong";
  readonly text: string;
  /** The next step. */
  readonly fix?: string | undefined;
}

export function ok(about: string, text: string): Finding {
  return { about, state: "ok", text };
}

export function note(about: string, text: string, fix?: string): Finding {
  return { about, state: "note", text, fix };
}

export function wrong(about: string, text: string, fix?: string): Finding {
  return { about, state: "wrong", text, fix };
}
