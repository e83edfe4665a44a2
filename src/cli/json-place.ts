/** Where a text stops being JSON. */
export interface JsonPlace {
  /** From 0; the text's length when it ends too early. */
  readonly offset: number;
  /** What could stand there instead, as the end of "expected …". */
  readonly expected: string;
}

/**
 * Finds the place that `JSON.parse` objects to; its own messages name it in some versions of Node and not in others.
 *
 * @returns `undefined` when the text is JSON.
 */
export function jsonPlace(text: string): JsonPlace | undefined {
  const scanner = new Scanner(text);
  try {
    scanner.value();
    scanner.end();
    return undefined;
  } catch (error) {
    // The one other error there can be: the call stack is used up.
    const expected = error instanceof Misfit ? error.expected : "fewer levels of nesting";
    return { offset: scanner.offset, expected };
  }
}

class Misfit extends Error {
  readonly expected: string;

  constructor(expected: string) {
    super(expected);
    this.expected = expected;
  }
}

const space = /[ \t\n\r]*/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// oxlint-disable-next-line no-control-regex -- JSON forbids control characters inside a text
const string = /"(?:[^"\\\u0000-\u001F]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
// oxlint-disable-next-line no-control-regex -- as above
const stringStart = /"(?:[^"\\\u0000-\u001F]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y;
const word = /true|false|null/y;

/** Walks over one JSON text and throws a {@link Misfit} at the first character that does not fit. */
class Scanner {
  readonly text: string;
  offset = 0;

  constructor(text: string) {
    this.text = text;
  }

  value(): void {
    this.take(space);
    const first = this.text[this.offset];
    if (first === "{") this.members("}", () => this.member(), 'a name in double quotes or "}"');
    else if (first === "[") this.members("]", () => this.value(), 'a value or "]"');
    else if (first === '"') this.string();
    else if (!this.take(word) && !this.take(number))
      this.fail("a value: a number, a text in double quotes, [ … ] or { … }");
    this.take(space);
  }

  end(): void {
    if (this.offset < this.text.length) this.fail("the end");
  }

  private members(close: string, each: () => void, first: string): void {
    this.offset++;
    this.take(space);
    if (this.text[this.offset] === close) return void this.offset++;
    if (this.offset === this.text.length) this.fail(first);
    for (;;) {
      each();
      const next = this.text[this.offset];
      if (next !== "," && next !== close) this.fail(`"," or "${close}"`);
      this.offset++;
      if (next === close) return;
    }
  }

  private member(): void {
    this.take(space);
    if (this.text[this.offset] !== '"') this.fail("a name in double quotes");
    this.string();
    this.take(space);
    if (this.text[this.offset] !== ":") this.fail('":"');
    this.offset++;
    this.value();
  }

  private string(): void {
    if (this.take(string)) return;
    this.take(stringStart);
    this.fail(this.text[this.offset] === "\\" ? "an escape such as \\n or \\u00e9" : "the closing double quote");
  }

  private take(pattern: RegExp): boolean {
    pattern.lastIndex = this.offset;
    const taken = pattern.exec(this.text)?.[0].length ?? 0;
    this.offset += taken;
    return taken > 0;
  }

  private fail(expected: string): never {
    throw new Misfit(expected);
  }
}
